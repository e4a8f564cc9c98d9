#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "liven/train/settings.hpp"

namespace liven {

/// RUN: where a training keeps what it leaves behind.
class RunFolder {
public:
    explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path config() const { return path_ / "config.toml"; }
    std::filesystem::path environment() const { return path_ / "environment.txt"; }
    std::filesystem::path log() const { return path_ / "log.jsonl"; }
    std::filesystem::path events() const { return path_ / "events.out.tfevents.liven"; }
    std::filesystem::path checkpoints() const { return path_ / "checkpoints"; }
    std::filesystem::path model() const { return path_ / "model.safetensors"; }
    std::filesystem::path faces() const { return path_ / "faces.png"; }
    std::filesystem::path cues() const { return path_ / "cues.png"; }
    std::filesystem::path curves() const { return path_ / "curves.svg"; }

    /// Throws Error when there is a run already.
    void require_new() const;
    /// Throws Error when there is none.
    void require_begun() const;

    /// Makes the folder and writes the settings, with what tells the pretrained weights from others.
    void begin(const TrainSettings& settings) const;
    TrainSettings settings() const;
    /// Throws Error when the file of pretrained weights is another than when the run began.
    void require_same_pretrained(const TrainSettings& settings) const;
    /// Notes in what this process computes, a line for each that differs from the one before.
    void note_environment() const;
    /// The lines, in order; none of a run of an earlier Liven.
    std::vector<std::string> environments() const;
    /// Removes the log's lines of later steps: they will be written again.
    void drop_log_after(int64_t step) const;

private:
    std::filesystem::path path_;
};

}  // namespace liven

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "liven/protocol/settings.hpp"
#include "liven/train/settings.hpp"

namespace liven::protocol {

/// What a model is trained on.
enum class SourceKind : uint8_t { set, combined, all_but_set, set_without_type };

struct Source {
    SourceKind kind = SourceKind::set;
    std::string name;  ///< "csmad", "combined", "all-but-csmad", "csmad-without-mask"
    std::string set;   ///< the set it is made of, or the one left out; empty for `combined`
    std::string type;  ///< the attack type left out
};

/// A set whose test samples are scored.
struct Target {
    std::string name;
    std::filesystem::path manifest;
};

/// One training and the sets it is then tested on.
struct Cell {
    std::string id;  ///< "livenessnet_csmad_s42", with folds "livenessnet_csmad_s42_f1"
    std::string model;
    Source source;
    int64_t seed = 42;
    int64_t fold = -1;  ///< from 0; -1: no folds
    TrainSettings settings;
    std::vector<Target> targets;
    std::vector<std::string> trained_types;  ///< of attacks, sorted
    int64_t train_images = 0, test_images = 0;
    std::string key;  ///< changes with the settings, with the manifests and with the files they name
};

/// A data set as the protocol divides it. With folds the numbers are those of the first one.
struct SetSummary {
    std::string name;
    int64_t train = 0, val = 0, test = 0;
    int64_t ungrouped = 0;    ///< samples of which nothing says with which others they belong
    std::string leak_reason;  ///< why its splits may share groups; empty: they do not
};

/// All trainings of a protocol, each once: what was trained on a set serves the questions within it and across.
///
/// OUT holds data/ (a manifest of every source and target, divided), cells/ID/ (one a training), plan.json,
/// protocol.toml (the settings, for doing it again), and what is made of the results.
struct Plan {
    std::filesystem::path out;
    std::vector<Cell> cells;
    std::vector<SetSummary> sets;  ///< those of the configuration by name, then `combined` if it is asked for
    std::vector<std::string> notes;

    std::filesystem::path folder(const Cell& cell) const { return out / "cells" / cell.id; }
};

/// Divides the sets, writes their manifests, plan.json and protocol.toml. The same settings and data give the same
/// bytes. Throws Error when a set cannot be read or divided, naming it.
Plan make_plan(const ProtocolSettings& settings, const std::filesystem::path& out);

/// Whether a plan lies in that folder.
bool has_plan(const std::filesystem::path& out);
/// The plan and the settings that lie in OUT; the data itself may be gone. Throws Error when there is none, or one of
/// an earlier Liven.
Plan read_plan(const std::filesystem::path& out);
ProtocolSettings read_settings(const std::filesystem::path& out);

/// One cell as plan.json has it, for a process that runs just that. Throws Error when there is none.
Cell read_cell(const std::filesystem::path& out, const std::string& id);

}  // namespace liven::protocol

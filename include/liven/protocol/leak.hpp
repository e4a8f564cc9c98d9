#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "liven/metrics/bootstrap.hpp"
#include "liven/train/settings.hpp"

namespace liven::protocol {

/// A figure on test samples with its interval.
struct JudgedFigure {
    Measure value = Measure::undefined("nothing was measured");
    Interval interval{.low = Measure::undefined("nothing was measured"),
                      .high = Measure::undefined("nothing was measured")};
};

/// What a division said of the model that was trained and tested by it.
struct DividedResult {
    int64_t train = 0, test = 0;
    JudgedFigure auc = {}, acer = {};
};

/// One pair of trainings that differ in how the samples were divided.
struct LeakPair {
    uint64_t seed = 0;
    DividedResult by_image = {}, by_group = {};
    JudgedFigure auc_gain = {}, acer_gain = {};  ///< by how much dividing by image flatters: AUC higher, ACER lower
};

struct LeakOptions {
    TrainSettings training;  ///< data included; how it is divided does not count
    int64_t repeats = 1;     ///< with seeds from the training's on, of division and training
    BootstrapOptions bootstrap = {};
};

/// Trains the same model on the same samples twice, divided by image and by group (subject, else video), and compares
/// what their test samples say: how much a leaking split flatters. A split that the data has is not looked at. OUT
/// keeps the runs; started again with the same settings and data it goes on. The interval of a difference is made of
/// both intervals (MOVER, Zou and Donner 2008). Throws Error when nothing says which samples belong together, and when
/// OUT holds runs of other settings or data.
std::vector<LeakPair> measure_leak(const LeakOptions& options, const std::filesystem::path& out);

/// Markdown.
std::string leak_table(const std::vector<LeakPair>& pairs);

}  // namespace liven::protocol

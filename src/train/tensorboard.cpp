#include <chrono>
#include <filesystem>

#include "epoch_line.hpp"
#include "liven/core/error.hpp"
#include "liven/core/log.hpp"
#include "liven/train/callbacks.hpp"
#include "run_folder.hpp"

namespace liven {
namespace {

/// None of a damaged file: a training does not stop for a copy of its log.
std::vector<Event> events_in(const std::filesystem::path& path) {
    if (!std::filesystem::exists(path)) return {};
    try {
        return read_events(path);
    } catch (const Error& error) {
        log_warning(std::string(error.what()) + "; the file is begun anew, log.jsonl has what was in it");
        return {};
    }
}

}  // namespace

void TensorBoardEvents::on_train_begin(Training& training) {
    const std::filesystem::path path = RunFolder(training.folder).events();
    std::vector<Event> events = events_in(path);
    // What came after the checkpoint will be computed again.
    std::erase_if(events, [&](const Event& event) { return event.step > training.progress.step; });
    file_ = std::make_unique<EventFile>(path, events);
}

void TensorBoardEvents::on_epoch_end(Training&, const EpochReport& report) {
    const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
    Event event{.wall_time = now.count(), .step = report.step, .scalars = {}};
    const Json line = line_of(report);
    for (const auto& [name, value] : line.members())
        if (name != "step" && value.is_number()) event.scalars.emplace_back(name, static_cast<float>(value.number()));
    file_->append(event);
}

}  // namespace liven

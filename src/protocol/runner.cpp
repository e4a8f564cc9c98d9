#include "liven/protocol/runner.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "cell_files.hpp"
#include "child.hpp"
#include "liven/core/error.hpp"
#include "liven/core/log.hpp"
#include "liven/core/progress.hpp"
#include "liven/io/json_lines.hpp"
#include "liven/protocol/cell.hpp"
#include "liven/train/trainer.hpp"
#include "src/core/folder_lock.hpp"

namespace liven::protocol {
namespace {

/// Pictures that a cell sees: those of all epochs, and the ones it is tested on.
int64_t work_of(const Cell& cell) { return cell.settings.epochs * cell.train_images + cell.test_images; }

/// What a cell under way has seen, by its log.
int64_t work_done(const Cell& cell, const CellFiles& files) {
    const std::filesystem::path log = files.run() / "log.jsonl";
    if (!std::filesystem::exists(log)) return 0;
    const auto epochs = static_cast<int64_t>(read_json_lines(log).size());
    return std::min(epochs, cell.settings.epochs) * cell.train_images;
}

std::string reason_of(const Child& child, int status) {
    std::string words = child.last_words();
    if (words.empty()) words = "it said nothing";
    return status > 128 ? "killed by signal " + std::to_string(status - 128) + "; its last words: " + words : words;
}

/// Cells in processes of their own, some at a time.
class Processes {
public:
    Processes(const Plan& plan, std::vector<const Cell*> cells, const RunOptions& options)
        : plan_(plan), waiting_(std::move(cells)), options_(options) {
        int64_t total = 0;
        for (const Cell* cell : waiting_) total += work_of(*cell) - done_before(*cell);
        std::reverse(waiting_.begin(), waiting_.end());
        if (total > 0)
            bar_ = std::make_unique<Progress>(Progress::Options{.title = "protocol", .total = total, .unit = "img"});
    }

    std::vector<Failure> run() {
        while (!waiting_.empty() || !running_.empty()) {
            while (!waiting_.empty() && static_cast<int>(running_.size()) < options_.jobs && !stopping_) start();
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
            if (Trainer::stop_requested() && !stopping_) {
                stopping_ = true;
                waiting_.clear();
                for (const Running& each : running_) each.child.stop();
            }
            look();
        }
        if (stopping_) throw Interrupted{.step = 0, .run = plan_.out};
        return std::move(failures_);
    }

private:
    struct Running {
        const Cell* cell;
        Child child;
        int64_t before, shown;
    };

    int64_t done_before(const Cell& cell) const { return work_done(cell, CellFiles(plan_.folder(cell))); }

    void start() {
        const Cell& cell = *waiting_.back();
        waiting_.pop_back();
        std::vector<std::string> command = options_.command;
        command.push_back(cell.id);
        command.emplace_back("--threads");
        command.push_back(std::to_string(std::max(1, options_.threads / std::max(1, options_.jobs))));
        const int64_t before = done_before(cell);
        running_.push_back({.cell = &cell,
                            .child = Child(command, CellFiles(plan_.folder(cell)).messages()),
                            .before = before,
                            .shown = before});
    }

    void show(Running& running, int64_t now) {
        if (bar_ && now > running.shown) bar_->advance(now - running.shown);
        running.shown = std::max(running.shown, now);
    }

    void look() {
        std::vector<Running> still;
        for (Running& each : running_) {
            if (const auto status = each.child.ended()) {
                end(each, *status);
            } else {
                show(each, work_done(*each.cell, CellFiles(plan_.folder(*each.cell))));
                still.push_back(std::move(each));
            }
        }
        running_ = std::move(still);
    }

    void end(Running& running, int status) {
        const std::string& id = running.cell->id;
        show(running, work_of(*running.cell));
        if (status == 0) {
            log_info("done    " + id);
        } else if (!stopping_) {
            failures_.push_back({.cell = id, .reason = reason_of(running.child, status)});
            log_error("failed  " + id + ": " + failures_.back().reason);
        }
    }

    const Plan& plan_;
    std::vector<const Cell*> waiting_;  ///< the next one last
    const RunOptions& options_;
    std::vector<Running> running_;
    std::vector<Failure> failures_;
    std::unique_ptr<Progress> bar_;
    bool stopping_ = false;
};

std::vector<Failure> run_here(const Plan& plan, const std::vector<const Cell*>& cells) {
    std::vector<Failure> failures;
    for (const Cell* cell : cells) {
        try {
            run_cell(*cell, plan.folder(*cell));
        } catch (const std::exception& error) {
            failures.push_back({.cell = cell->id, .reason = error.what()});
            log_error("failed  " + cell->id + ": " + error.what());
        }
    }
    return failures;
}

}  // namespace

std::vector<Failure> run_cells(const Plan& plan, const RunOptions& options) {
    const FolderLock lock(plan.out / "cells", FolderLock::Wait::no);
    std::vector<const Cell*> open;
    for (const Cell& cell : plan.cells)
        if (!read_result(cell, plan.folder(cell))) open.push_back(&cell);
    log_info("protocol  " + std::to_string(plan.cells.size()) + " trainings, " +
             std::to_string(plan.cells.size() - open.size()) + " of them finished");
    if (open.empty()) return {};
    return options.command.empty() ? run_here(plan, open) : Processes(plan, open, options).run();
}

}  // namespace liven::protocol

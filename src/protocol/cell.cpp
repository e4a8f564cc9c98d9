#include "liven/protocol/cell.hpp"

#include <unistd.h>

#include <fstream>

#include "cell_files.hpp"
#include "cell_key.hpp"
#include "data_hash.hpp"
#include "liven/core/error.hpp"
#include "liven/data/dataset.hpp"
#include "liven/io/file.hpp"
#include "liven/io/json_lines.hpp"
#include "liven/train/trainer.hpp"
#include "result_json.hpp"
#include "src/core/folder_lock.hpp"
#include "src/train/run_evidence.hpp"
#include "src/train/training_data.hpp"

namespace liven::protocol {
namespace {

/// Resident memory of this process; 0 when the system does not say.
double resident_megabytes() {
    std::ifstream status("/proc/self/statm");
    double total = 0, resident = 0;
    status >> total >> resident;
    return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) * 1e-6;
}

class MemoryLog : public Callback {
public:
    explicit MemoryLog(const std::filesystem::path& path) : log_(path) {}
    void on_epoch_end(Training&, const EpochReport& report) override {
        log_.append(Json::object({{"epoch", report.epoch + 1}, {"megabytes", resident_megabytes()}}));
    }

private:
    JsonLines log_;
};

[[noreturn]] void refuse_other(const std::filesystem::path& folder) {
    throw Error(folder.string(), "there is a cell of other settings or data", "remove it, or choose another --out");
}

/// The plan was made of the data and the pretrained weights as they are now.
void require_planned_data(const Cell& cell) {
    if (key_of(cell, hash_of_manifest) != cell.key)
        throw Error(cell.id, "its data or its pretrained weights are no longer those that were planned",
                    "start the protocol again");
}

void train(const Cell& cell, const CellFiles& files) {
    const bool begun = std::filesystem::exists(files.run() / "config.toml");
    Trainer trainer = begun ? Trainer::resume(files.run()) : Trainer(cell.settings, files.run());
    trainer.add(std::make_unique<MemoryLog>(files.memory()));
    if (trainer.train().stop_requested) throw Interrupted{.step = 0, .run = files.run()};
}

SetScores scores_of(ScoredPart part) {
    return {.samples = std::move(part.scored.scores),
            .groups = std::move(part.groups),
            .loss = part.scored.loss,
            .broken = static_cast<int64_t>(part.broken.size())};
}

/// What the run's log says; of an epoch whose memory was written down twice, the last counts.
void read_epochs(const CellFiles& files, CellResult& result) {
    std::map<int64_t, double> memory;
    visit_json_lines(files.memory(),
                     [&](const Json& line) { memory[line.at("epoch").integer()] = line.at("megabytes").number(); });
    visit_json_lines(files.run() / "log.jsonl", [&](const Json& line) {
        const int64_t epoch = line.at("epoch").integer();
        result.epochs.push_back({.epoch = epoch,
                                 .seconds = line.at("seconds").number(),
                                 .megabytes = memory[epoch],
                                 .loss = line.at("loss").number(),
                                 .validation_loss = line.at("val_loss").number()});
        if (epoch != result.best_epoch) return;
        result.validation_loss = line.at("val_loss").number();
        if (!line.at("val_accuracy").is_null()) result.validation_accuracy = line.at("val_accuracy").number();
    });
}

CellResult evaluate(const Cell& cell, const CellFiles& files) {
    const std::filesystem::path file = files.run() / "model.safetensors";
    LoadedModel model = load_model(file);
    CellResult result{.key = cell.key,
                      .validation = {},
                      .targets = {},
                      .epochs = {},
                      .best_epoch = model.info.training.at("best_epoch").integer(),
                      .parameters = bytes_of(model.model->states()) / sizeof(float),
                      .model_bytes = static_cast<double>(std::filesystem::file_size(file))};
    read_epochs(files, result);
    const auto scored = [&](const std::filesystem::path& manifest, data::Split split, const std::string& what) {
        const data::Dataset part = data::open_dataset(manifest).only(split);
        if (part.samples.empty())
            throw Error(manifest.string(), "there are no " + std::string(data::name_of(split)) + " samples");
        return scores_of(score_part(model, samples_of(part, cell.settings), cell.settings.batch, what));
    };
    result.validation = scored(cell.settings.data, data::Split::val, "validation");
    for (const Target& target : cell.targets)
        result.targets.emplace(target.name, scored(target.manifest, data::Split::test, target.name));
    return result;
}

}  // namespace

double CellResult::seconds() const {
    double sum = 0;
    for (const EpochFacts& epoch : epochs) sum += epoch.seconds;
    return sum;
}

void run_cell(const Cell& cell, const std::filesystem::path& folder) {
    const FolderLock lock(folder, FolderLock::Wait::yes);
    const CellFiles files(folder);
    if (read_result(cell, folder)) return;
    if (!std::filesystem::exists(files.key()))
        write_file_atomically(files.key(), cell.key);
    else if (read_text_file(files.key()) != cell.key)
        refuse_other(folder);
    require_planned_data(cell);
    train(cell, files);
    require_planned_data(cell);
    write_file_atomically(files.result(), json_of(evaluate(cell, files)).str() + "\n");
    std::filesystem::remove_all(files.run() / "checkpoints");
}

std::optional<CellResult> read_result(const Cell& cell, const std::filesystem::path& folder) {
    const std::filesystem::path file = CellFiles(folder).result();
    if (!std::filesystem::exists(file)) return std::nullopt;
    CellResult result = result_from(Json::parse(read_text_file(file, uint64_t{4} << 30), file.string()));
    if (result.key != cell.key) refuse_other(folder);
    return result;
}

}  // namespace liven::protocol

// From nothing to a liveness model through the API: draw faces, train, watch, evaluate on subjects never seen.
#include <cstdlib>
#include <filesystem>
#include <liven/data/synthesize.hpp>
#include <liven/train/evaluate.hpp>
#include <liven/train/model_file.hpp>
#include <liven/train/recipe.hpp>
#include <liven/train/trainer.hpp>

#include "expect.hpp"

using namespace liven;

namespace {

/// Ends the training when validation has been good enough twice in a row. What it counts goes into checkpoints, so a
/// training that is killed and resumed stops at the same epoch.
class GoodEnough : public Callback {
public:
    explicit GoodEnough(double accuracy) : accuracy_(accuracy) {}

    void on_epoch_end(Training& training, const EpochReport& report) override {
        std::printf("epoch %lld   loss %.3f   validation loss %.3f, accuracy %.3f\n",
                    static_cast<long long>(report.epoch + 1), report.loss, report.validation_loss,
                    report.validation_accuracy);
        times_ = report.validation_accuracy >= accuracy_ ? times_ + 1 : 0;
        if (times_ == 2) training.stop("validation has been good enough twice");
    }
    std::string name() const override { return "good_enough"; }
    CallbackState state() const override { return {.values = Json::object({{"times", times_}}), .tensors = {}}; }
    void restore(const CallbackState& state) override { times_ = state.values.at("times").integer(); }

private:
    double accuracy_;
    int64_t times_ = 0;
};

}  // namespace

int main() {
    std::string folder = (std::filesystem::temp_directory_path() / "liven-example-XXXXXX").string();
    if (!::mkdtemp(folder.data())) return 1;

    // 40 people, each recorded and attacked: a folder of pictures with a manifest that keeps people apart.
    data::synthesize(folder + "/faces",
                     {.subjects = 40, .frames = 2, .size = 32, .seed = 1, .difficulty = data::Difficulty::easy});

    TrainSettings settings = settings_of("livenessnet");
    settings.data = folder + "/faces";
    settings.size = 32;
    settings.epochs = 8;
    settings.learning_rate = 1e-3;

    Trainer trainer(settings, folder + "/run");
    trainer.add(std::make_unique<GoodEnough>(0.75));
    const TrainResult result = trainer.train();
    std::printf("expected: weights of the best epoch, a threshold chosen on validation, a test set never looked at\n");
    std::printf("%lld steps, threshold %.3f, model in %s\n", static_cast<long long>(result.steps), result.threshold,
                result.model_file.c_str());

    // What `liven evaluate` does: the model file brings weights, preprocessing and threshold.
    LoadedModel loaded = load_model(result.model_file);
    data::Dataset test = data::open_dataset(settings.data).only(data::Split::test);
    data::Loader loader = evaluation_loader(test, loaded.info.preprocess, 16);
    const PadReport report = pad_report(score(*loaded.model, loader).scores, loaded.info.threshold.value);
    std::printf("%s", to_table(report).c_str());
    expect_above("test AUC on subjects never seen", report.roc_auc.value(), 0.7);
    expect("the trainer's own report says the same", static_cast<float>(result.test->roc_auc.value()),
           static_cast<float>(report.roc_auc.value()));
    std::filesystem::remove_all(folder);
}

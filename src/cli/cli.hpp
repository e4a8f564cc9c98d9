#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "liven/core/dtype.hpp"
#include "liven/core/shape.hpp"
#include "liven/models/options.hpp"

namespace liven {
class Progress;
struct TrainSettings;
}  // namespace liven

/// The program: one add_..._command a subcommand. Data goes to stdout, messages to stderr.
namespace liven::cli {

void add_summary_command(CLI::App& app);
void add_models_command(CLI::App& app);
void add_version_command(CLI::App& app);
void add_plan_command(CLI::App& app);
void add_kernels_command(CLI::App& app);
void add_ops_command(CLI::App& app);
void add_bench_command(CLI::App& app);
void add_tune_command(CLI::App& app);
void add_data_command(CLI::App& app);
/// Below `data`.
void add_import_command(CLI::App& data);
void add_split_command(CLI::App& data);
void add_augment_command(CLI::App& data);
void add_prepare_command(CLI::App& data);
void add_audit_command(CLI::App& app);
void add_init_command(CLI::App& app);
void add_forward_command(CLI::App& app);
void add_grad_command(CLI::App& app);
void add_help_command(CLI::App& app);
void add_completion_command(CLI::App& app);
void add_train_command(CLI::App& app);
void add_evaluate_command(CLI::App& app);
void add_predict_command(CLI::App& app);
void add_report_command(CLI::App& app);
void add_explain_command(CLI::App& app);
void add_features_command(CLI::App& app);
void add_protocol_command(CLI::App& app);
void add_search_command(CLI::App& app);

/// A check of an option whose empty text would count as no text at all: what is wrong, or nothing.
std::string not_empty(const std::string& text);

/// A model asked for on the command line.
struct ModelChoice {
    std::string name;
    std::string input;                 ///< "256x256x3"; empty: the model's own
    int64_t size = 0;                  ///< pixels a side of the model's own; 0: as they are
    std::vector<std::string> options;  ///< name=value

    /// H x W x C, of clips T x H x W x C.
    Shape shape() const;
    OptionMap option_map() const;
};
/// Adds MODEL, --input (or --size) and --option to a command.
void add_model_options(CLI::App& command, ModelChoice& choice);

/// Adds --backbone to a command: an option of the model under a name of its own.
void add_backbone_option(CLI::App& command, std::vector<std::string>& options);

/// Adds --dense-weights f32|bf16 to a command.
void add_dense_weights_option(CLI::App& command, DType& dtype);
/// Adds --dtype f32|bf16 to a command.
void add_dtype_option(CLI::App& command, DType& dtype);

/// Adds --memory-limit BYTES to a command; `memory_limit_from` gives its bytes, 0 when it is not there. Throws Error
/// where nothing is trained.
void add_memory_limit_option(CLI::App& command, std::string& limit);
int64_t memory_limit_from(const std::string& limit, const std::string& mode);

/// What a training is to be: the recipe's settings, then those of the TOML file (none when its name is empty). --model
/// and --recipe, where the command has them, come before the file's.
TrainSettings training_settings(const CLI::App& command, const std::string& model, const std::string& recipe,
                                const std::string& config_file);

/// "256x256x3" -> a shape. Throws Error when it is none.
Shape shape_from(const std::string& text);
/// "dropout=0.1" -> map. Throws Error without a '='.
OptionMap option_map(const std::vector<std::string>& options);

/// Those that data::write knows.
inline const std::vector<std::string> kPictureEndings{".png", ".jpg", ".jpeg"};
/// Throws Error, before there is anything to lose, when no file of that name can be written: its folder is not there,
/// may not be written to, it is a folder itself, or has none of these endings (none given: any will do).
void require_target(const std::string& path, const std::vector<std::string>& endings = {});

/// From here on Control-C and a polite kill ask trainings to stop behind their checkpoint, see Trainer::request_stop().
void stop_trainings_on_signals();

/// The text, with a line break at its end, on stdout.
void print(const std::string& text);

/// Shows how many pictures are done, in a bar that begins with the first call and that the caller ends.
std::function<void(int64_t done, int64_t total)> image_bar(std::unique_ptr<Progress>& bar, std::string title);

}  // namespace liven::cli

#include "liven/train/model_file.hpp"

#include <cmath>
#include <cstring>

#include "liven/core/error.hpp"
#include "liven/core/log.hpp"
#include "liven/core/philox.hpp"
#include "liven/io/safetensors.hpp"
#include "liven/models/registry.hpp"
#include "liven/nn/objective.hpp"

namespace liven {
namespace {

constexpr const char* kFormat = "liven-model-1";
constexpr const char* kGoldenInput = "golden/input_seed";
constexpr const char* kGoldenOutput = "golden/logits";  // of a model that is no classifier, its output
constexpr uint64_t kGoldenSeed = 20260101;
constexpr double kNarrowTolerance = 0.01;  // a threshold is chosen on a few hundred scores: finer than it is known

/// Pixels of the golden input: uniform in [0, 1), by formula, so that the file does not carry them.
Tensor golden_input(const Shape& input) {
    const Shape shape = batched(1, input);
    std::vector<float> pixels(static_cast<size_t>(shape.count()));
    Random random(kGoldenSeed);
    for (float& pixel : pixels) pixel = random.uniform();
    return Tensor::from(pixels, shape);
}

std::vector<float> golden_output(Module& model, const Shape& input) {
    const NoGrad no_grad;
    const WithDType exact(DType::f32);
    const bool training = model.training();
    model.eval();
    std::vector<float> output = model(golden_input(input)).to_vector();
    model.train(training);
    return output;
}

Json histogram_json(const std::vector<int64_t>& counts) { return Json::array_of(counts); }

std::vector<int64_t> histogram_from(const Json& json) {
    std::vector<int64_t> counts;
    for (const Json& count : json.elements()) counts.push_back(count.integer());
    return counts;
}

Json info_json(const ModelFileInfo& info, std::string_view score) {
    Json json = Json::object({{"format", kFormat}, {"model", info.model}});
    Json options = Json::object();
    for (const auto& [name, value] : info.options) options[name] = value;
    json["options"] = std::move(options);
    json["input"] = Json::array_of(info.input);
    if (info.input.rank() == 4) json["clip_stride"] = info.clip_stride;
    json["preprocess"] = Json::parse(info.preprocess.to_json());
    json["classes"] = Json::array_of(info.classes);
    json["score"] = score;
    json["threshold"] = Json::object({{"value", info.threshold.value},
                                      {"rule", info.threshold.rule},
                                      {"bonafide_histogram", histogram_json(info.threshold.bonafide_histogram)},
                                      {"attack_histogram", histogram_json(info.threshold.attack_histogram)}});
    json["training"] = info.training;
    return json;
}

ModelFileInfo info_from(const Json& json, const std::string& where) {
    const std::string& format = json.at("format").text();
    if (format != kFormat)
        throw Error(where, "expected format " + std::string(kFormat) + ", got '" + format + "'",
                    "it was written by another version");
    ModelFileInfo info;
    info.model = json.at("model").text();
    for (const auto& [name, value] : json.at("options").members()) info.options[name] = value.text();
    for (const Json& extent : json.at("input").elements()) info.input.append(extent.integer());
    if (info.input.rank() < 3 || info.input.rank() > 4 || info.input.count() < 1 ||
        info.input.count() > (int64_t{1} << 28))
        throw Error(where, "expected an input height x width x channels, with the frames of a clip before them, got " +
                               info.input.str());
    if (const Json* stride = json.find("clip_stride")) info.clip_stride = stride->integer();
    info.preprocess = data::Preprocess::from_json(json.at("preprocess").str());
    info.classes.clear();
    for (const Json& name : json.at("classes").elements()) info.classes.push_back(name.text());
    // Files of earlier versions hold classifiers and do not say how they are read.
    if (const Json* score = json.find("score")) info.score = score->text();
    const Json& threshold = json.at("threshold");
    info.threshold = {.value = threshold.at("value").number(),
                      .rule = threshold.at("rule").text(),
                      .bonafide_histogram = histogram_from(threshold.at("bonafide_histogram")),
                      .attack_histogram = histogram_from(threshold.at("attack_histogram"))};
    info.training = json.at("training");
    return info;
}

/// ||now - then|| / ||then||, with room for outputs that are all zero.
double relative_error(std::span<const float> now, std::span<const float> then) {
    double error = 0, size = 0;
    for (size_t i = 0; i < now.size() && i < then.size(); ++i) {
        error += std::pow(static_cast<double>(now[i]) - static_cast<double>(then[i]), 2);
        size += std::pow(static_cast<double>(then[i]), 2);
    }
    return std::sqrt(error) / (std::sqrt(size) + 1e-2);
}

void check_golden(Module& model, const ModelFileInfo& info, const HostTensor& stored, const std::string& where) {
    const std::vector<float> now = golden_output(model, info.input);
    const auto then = stored.values<float>();
    const double error = relative_error(now, then);
    // Kernels of different ISAs sum in different orders; 1e-4 of the output's norm is far above that and far below any
    // mistake.
    if (now.size() != then.size() || !(error <= 1e-4))
        throw Error(
            where,
            "the model does not reproduce the golden output stored with it: relative error " + std::to_string(error),
            "the file is damaged, or this build computes another function");
}

}  // namespace

NamedTensors copy_states(Module& model) {
    NamedTensors tensors;
    for (const State& state : model.states())
        tensors.emplace(std::string(state.name()), HostTensor(state.shape(), state.tensor().data<float>()));
    return tensors;
}

void load_states(Module& model, const NamedTensors& tensors, const std::string& where) {
    std::string problems;
    const auto note = [&](const std::string& text) { problems += (problems.empty() ? "" : "; ") + text; };
    std::map<std::string, bool> wanted;
    for (const State& state : model.states()) {
        const std::string name(state.name());
        wanted[name] = true;
        const auto found = tensors.find(name);
        if (found == tensors.end())
            note("missing " + name);
        else if (!(found->second.shape == state.shape()))
            note(name + " is " + found->second.shape.str() + ", expected " + state.shape().str());
    }
    for (const auto& [name, tensor] : tensors)
        if (!wanted.contains(name) && name.rfind("golden/", 0) != 0) note("surplus " + name);
    if (!problems.empty()) throw Error(where, "the tensors do not fit the model: " + problems);
    for (State state : model.states()) state.assign(tensors.at(std::string(state.name())).values<float>());
}

void save_model(const std::filesystem::path& path, Module& model, const ModelFileInfo& info) {
    NamedTensors tensors = copy_states(model);
    const std::vector<float> output = golden_output(model, info.input);
    tensors.emplace(kGoldenOutput, HostTensor({1, static_cast<int64_t>(output.size())}, output));
    write_safetensors(path, tensors,
                      {{"liven", info_json(info, model.objective()->score_name()).str()},
                       {kGoldenInput, std::to_string(kGoldenSeed)}});
}

LoadedModel load_model(const std::filesystem::path& path) {
    const std::string where = path.string();
    const Safetensors file = read_safetensors(path);
    const auto text = file.metadata.find("liven");
    if (text == file.metadata.end() || !file.tensors.contains(kGoldenOutput))
        throw Error(where, "this safetensors file is no Liven model: it has no 'liven' metadata or no golden output",
                    "liven train and liven init write model files");
    LoadedModel loaded;
    loaded.info = info_from(Json::parse(text->second, where), where);
    loaded.model = make_model(loaded.info.model, loaded.info.options);
    if (const auto objective = loaded.model->objective(); objective->score_name() != loaded.info.score)
        throw Error(where,
                    "its threshold is one of '" + loaded.info.score + "', but this build scores by '" +
                        std::string(objective->score_name()) + "'",
                    "it was written by another version");
    loaded.model->outline(batched(1, loaded.info.input));
    load_states(*loaded.model, file.tensors, where);
    loaded.model->eval();
    check_golden(*loaded.model, loaded.info, file.tensors.at(kGoldenOutput), where);
    return loaded;
}

InferenceSession open_session(LoadedModel& loaded, const InferenceSession::Options& options) {
    if (options.dense_weights == DType::f32 && options.dtype == DType::f32)
        return {*loaded.model, loaded.info.input, options};
    InferenceSession::Options floats = options;
    floats.pixels.reset();
    InferenceSession session(*loaded.model, loaded.info.input, floats);
    // One picture more often in a batch changes nothing: the golden input stands in every place.
    const Tensor golden = golden_input(loaded.info.input);
    std::vector<float> images;
    for (int64_t i = 0; i < options.batch; ++i) images.insert(images.end(), golden.data().begin(), golden.data().end());
    const std::vector<float> exact = golden_output(*loaded.model, loaded.info.input);
    const double error = relative_error(session.run(images).first(exact.size()), exact);
    if (error <= kNarrowTolerance && !options.pixels) return session;
    if (error <= kNarrowTolerance) return {*loaded.model, loaded.info.input, options};
    const bool maps = options.dtype != DType::f32, dense = options.dense_weights != DType::f32;
    log_warning("the golden output moves by " + std::to_string(100 * error) + " % with " +
                (maps && dense ? "maps and dense weights in bf16: maps stay in f32"
                 : maps        ? "maps in bf16: they stay in f32"
                               : "dense weights in bf16: they stay in f32"));
    InferenceSession::Options wide = options;
    wide.dtype = DType::f32;
    if (maps && dense) return open_session(loaded, wide);  // dense weights alone may do
    wide.dense_weights = DType::f32;
    return {*loaded.model, loaded.info.input, wide};
}

}  // namespace liven

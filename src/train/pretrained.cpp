#include "liven/train/pretrained.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <map>
#include <set>

#include "liven/core/error.hpp"
#include "liven/models/registry.hpp"
#include "liven/train/recipe.hpp"

namespace liven {
namespace {

constexpr size_t kShown = 6;

/// The parts of networks that hold an encoder; a classifier of its own holds it at its root.
constexpr std::array<std::string_view, 4> kEncoders{"backbone/", "encoder/", "auxiliary/", ""};

bool begins_with(std::string_view text, std::string_view start) { return text.substr(0, start.size()) == start; }

/// A state's name within its encoder: without "backbone/" and the like.
std::string_view within_encoder(std::string_view state) {
    for (const std::string_view encoder : kEncoders)
        if (begins_with(state, encoder)) return state.substr(encoder.size());
    return state;
}

/// Layers of which every one has to be there: the trunk, not what classifies behind it.
bool is_trunk(std::string_view name) {
    for (const std::string_view start : {"conv", "bn", "layer", "inception", "res"})
        if (begins_with(name, start)) return true;
    return false;
}

/// "layer2.0/downsample.1/gamma" in its parts; the block is empty for layers of the stem and the head.
struct Place {
    std::string block, layer, kind;

    explicit Place(std::string_view name) {
        const size_t last = name.rfind('/'), first = name.find('/');
        kind = std::string(name.substr(last + 1));
        if (first == last) {
            layer = std::string(name.substr(0, last));
        } else {
            block = std::string(name.substr(0, first));
            layer = std::string(name.substr(first + 1, last - first - 1));
        }
    }
    bool of_norm() const { return kind == "gamma" || kind == "beta" || begins_with(kind, "moving_"); }
    /// Stage and number within it, from 1 and 0: 2 and 0 for layer2.0; nothing when the block is called otherwise.
    std::optional<std::pair<int, int>> residual() const {
        int stage = 0, number = 0;
        if (!begins_with(block, "layer")) return {};
        const char* end = block.data() + block.size();
        const auto [dot, bad] = std::from_chars(block.data() + 5, end, stage);
        if (bad != std::errc() || dot == end) return {};
        const auto [stop, wrong] = std::from_chars(dot + 1, end, number);
        return wrong == std::errc() && stop == end ? std::optional(std::pair(stage, number)) : std::nullopt;
    }
};

std::string by_liven(std::string_view name) { return std::string(name); }

std::string by_torchvision(std::string_view name) {
    const Place place(name);
    std::string out(name.substr(0, name.rfind('/')));
    std::replace(out.begin(), out.end(), '/', '.');
    static const std::map<std::string, std::string, std::less<>> kinds{{"kernel", "weight"},
                                                                       {"gamma", "weight"},
                                                                       {"beta", "bias"},
                                                                       {"moving_mean", "running_mean"},
                                                                       {"moving_variance", "running_var"}};
    const auto kind = kinds.find(place.kind);
    return out + '.' + (kind == kinds.end() ? place.kind : kind->second);
}

/// Which convolution of a block: 1 to 3, 0 for the shortcut's.
char branch_of(const Place& place) { return begins_with(place.layer, "downsample") ? '0' : place.layer.back(); }

bool is_stem(const Place& place) { return place.block.empty() && (place.layer == "conv1" || place.layer == "bn1"); }

// Of layers that the file's network does not have the name is empty.

std::string by_keras(std::string_view name) {
    const Place place(name);
    const std::string part = place.of_norm() ? "_bn/" : "_conv/";
    if (const auto block = place.residual())
        return "conv" + std::to_string(block->first + 1) + "_block" + std::to_string(block->second + 1) + "_" +
               branch_of(place) + part + place.kind;
    if (name == "fc/kernel" || name == "fc/bias") return "predictions/" + place.kind;
    return is_stem(place) ? "conv1" + part + place.kind : std::string();
}

std::string by_keras_2015(std::string_view name) {
    const Place place(name);
    if (const auto block = place.residual()) {
        const char branch = branch_of(place);
        return (place.of_norm() ? "bn" : "res") + std::to_string(block->first + 1) +
               static_cast<char>('a' + block->second) + "_branch" +
               (branch == '0' ? std::string("1") : std::string("2") + static_cast<char>('a' + (branch - '1'))) + "/" +
               place.kind;
    }
    if (name == "fc/kernel" || name == "fc/bias") return "fc1000/" + place.kind;
    return is_stem(place) ? (place.of_norm() ? "bn_conv1/" : "conv1/") + place.kind : std::string();
}

struct Naming {
    std::string_view owner;
    std::string (*name)(std::string_view state);
    std::string_view sign;  ///< a tensor that every file with these names has
    bool oihw;
    float epsilon;
    std::string_view normalization, variant;  ///< of ResNet-50
};
constexpr std::array<Naming, 5> kNamings{{
    {"torchvision", by_torchvision, "conv1.weight", true, 1e-5f, "imagenet", "v1.5"},
    {"torchvision", by_torchvision, "conv1.conv.weight", true, 1e-3f, "imagenet", ""},
    {"Keras", by_keras, "conv1_conv/kernel", false, 1.001e-5f, "caffe", "keras-v1"},
    {"Keras (2015)", by_keras_2015, "res2a_branch2a/kernel", false, 1e-3f, "caffe", "keras-v1"},
    {"Liven", by_liven, "layer1.0/conv1/kernel", false, 1e-5f, "imagenet", ""},
}};

std::string listed(const std::vector<std::string>& names) {
    std::string text;
    for (size_t i = 0; i < std::min(names.size(), kShown); ++i) text += (i ? ", " : "") + names[i];
    return names.size() > kShown ? text + " and " + std::to_string(names.size() - kShown) + " more" : text;
}

/// The order of the axes that turns O x I x H x W into H x W x I x O, or out x in into in x out.
void turn(const HostTensor& from, HostTensor& to) {
    const float* src = from.values<float>().data();
    float* dst = to.values<float>().data();
    const Shape& s = to.shape;
    const int64_t outer = s.rank() == 4 ? s[0] * s[1] : 1, inputs = s[-2], outputs = s[-1];
    for (int64_t o = 0; o < outputs; ++o)
        for (int64_t i = 0; i < inputs; ++i)
            for (int64_t k = 0; k < outer; ++k) dst[(k * inputs + i) * outputs + o] = *src++;
}

/// As it lies in a file of that layout.
Shape stored_shape(const Shape& shape, bool oihw) {
    if (!oihw || shape.rank() < 2) return shape;
    return shape.rank() == 2 ? Shape{shape[1], shape[0]} : Shape{shape[3], shape[2], shape[0], shape[1]};
}

}  // namespace

std::string PretrainedMatch::str() const {
    std::string text = std::to_string(matched) + " tensors by the names of " + naming;
    if (!missing.empty()) text += "; not in the file, so they start random: " + listed(missing);
    if (!surplus.empty()) text += "; not used: " + listed(surplus);
    return text;
}

Pretrained::Pretrained(const std::filesystem::path& path) : path_(path), reader_(path) {
    const auto naming =
        std::find_if(kNamings.begin(), kNamings.end(), [&](const Naming& n) { return reader_.has(n.sign); });
    if (naming == kNamings.end())
        throw Error(path.string(), "the names of its tensors are neither torchvision's nor Keras' nor Liven's",
                    "expected one of conv1.weight, conv1.conv.weight, conv1_conv/kernel, res2a_branch2a/kernel or "
                    "layer1.0/conv1/kernel");
    naming_ = static_cast<size_t>(naming - kNamings.begin());
    oihw_ = naming->oihw;
    epsilon_ = naming->epsilon;
    const auto& metadata = reader_.metadata();
    if (const auto layout = metadata.find("kernel_layout"); layout != metadata.end()) {
        if (layout->second != "HWIO" && layout->second != "OIHW")
            throw Error(path.string(), "expected kernel_layout HWIO or OIHW, got '" + layout->second + "'");
        oihw_ = layout->second == "OIHW";
    }
    if (const auto epsilon = metadata.find("bn_epsilon"); epsilon != metadata.end()) {
        const std::string& text = epsilon->second;
        const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), epsilon_);
        if (bad != std::errc() || end != text.data() + text.size() || !(epsilon_ > 0))
            throw Error(path.string(), "expected bn_epsilon as a number above 0, got '" + text + "'");
    }
}

std::string_view Pretrained::normalization() const { return kNamings[naming_].normalization; }

OptionMap Pretrained::options(std::string_view model) const {
    OptionMap out;
    const OptionMap known = model_info(model).options({});
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, epsilon_).ptr;
    if (known.contains("bn_epsilon")) out["bn_epsilon"] = std::string(text, end);
    const std::string variant(kNamings[naming_].variant);
    for (const char* option : {"variant", "backbone"})
        if (known.contains(option) && !variant.empty()) out[option] = variant;
    return out;
}

/// Which tensor of the file goes where.
struct Pretrained::Plan {
    PretrainedMatch match;
    std::vector<std::pair<State, std::string>> pairs;
};

Pretrained::Plan Pretrained::plan(Module& model) const {
    const Naming& naming = kNamings[naming_];
    Plan plan;
    plan.match.naming = naming.owner;
    std::set<std::string> used;
    std::string problems;
    const auto note = [&](const std::string& text) { problems += (problems.empty() ? "" : "; ") + text; };
    for (const State& state : model.states()) {
        const std::string_view own = within_encoder(state.name());
        const std::string name = naming.name(own);
        if (!reader_.has(name)) {
            if (is_trunk(own)) note("missing " + name);
            plan.match.missing.emplace_back(state.name());
            continue;
        }
        used.insert(name);
        const Shape &shape = reader_.entry(name).shape, expected = stored_shape(state.shape(), oihw_);
        if (shape == expected) {
            plan.pairs.emplace_back(state, name);
        } else if (is_trunk(own)) {
            note(name + " is " + shape.str() + ", expected " + expected.str());
        } else {  // a classifier of other classes
            plan.match.missing.emplace_back(state.name());
            plan.match.surplus.push_back(name);
        }
    }
    for (const auto& [name, entry] : reader_.entries()) {
        if (used.contains(name) || name.ends_with("num_batches_tracked") || begins_with(name, "golden/")) continue;
        if (is_trunk(name)) note("surplus " + name);
        plan.match.surplus.push_back(name);
    }
    if (!problems.empty()) {
        constexpr size_t longest = 600;
        if (problems.size() > longest) problems = problems.substr(0, longest) + " ...";
        throw Error(path_.string(), "the weights do not fit the model's encoder: " + problems,
                    "is it another network, or another variant of it (v1.5, keras-v1)?");
    }
    plan.match.matched = static_cast<int64_t>(plan.pairs.size());
    return plan;
}

PretrainedMatch Pretrained::match(Module& model) const { return plan(model).match; }

HostTensor Pretrained::read(const std::string& name, const Shape& shape) const {
    HostTensor stored = reader_.read(name);
    if (!oihw_ || shape.rank() < 2) return stored;
    HostTensor out(shape, DType::f32);
    turn(stored, out);
    return out;
}

PretrainedMatch Pretrained::load(Module& model) const {
    Plan plan = this->plan(model);
    for (auto& [state, name] : plan.pairs) state.assign(read(name, state.shape()).values<float>());
    return plan.match;
}

bool takes_pretrained(std::string_view model) {
    for (const char* name : {"resnet18", "se-resnet18", "resnet50", "googlenet", "resnet50-gru", "lgsc"})
        if (model == name) return true;
    return false;
}

void resolve_pretrained(TrainSettings& settings) {
    if (settings.pretrained.empty()) {
        if (settings.normalization == "pretrained") settings.normalization = "z-score";
        return;
    }
    if (!takes_pretrained(settings.model))
        throw Error("--pretrained", settings.model + " has no encoder that published weights exist for");
    const Pretrained weights(settings.pretrained);
    for (const auto& [name, value] : weights.options(settings.model)) settings.model_options.try_emplace(name, value);
    if (settings.normalization == "pretrained") settings.normalization = weights.normalization();
    const bool clips = model_info(settings.model).input.rank() == 4;
    const bool unasked = settings.augmentation == settings_of(settings.model, "default").augmentation;
    if (settings.recipe == "default" && clips && settings.model_options.try_emplace("train_from", "gru").second &&
        unasked)
        settings.augmentation = "none";
}

}  // namespace liven

#include <array>
#include <nlohmann/json.hpp>

#include "liven/core/error.hpp"
#include "src/data/import/adapters.hpp"
#include "src/data/import/picture_size.hpp"
#include "src/data/import/recording.hpp"
#include "src/data/import/tree.hpp"
#include "src/data/parallel.hpp"
#include "src/data/text.hpp"

/// CelebA-Spoof, as the authors' repository (ZhangYuanhan-AI/CelebA-Spoof) describes it.
///
///     Data/{train,test}/<subject>/{live,spoof}/000184.png, and 000184_BB.txt: x y width height score
///     metas/intra_test/{train,test}_label.json      {"Data/train/1/live/000184.png": [44 numbers]}
///     metas/protocol1/, metas/protocol2/...         the same for the other protocols
///
/// Of the 44 numbers 0-39 are attributes of the face, 40 is the type of spoof, 41 the light, 42 the place, and 43 the
/// class, 0 for live. Boxes are in pixels of a picture of 224 x 224, whatever the picture's size.
namespace liven::data {
namespace fs = std::filesystem;
namespace {

constexpr std::array<const char*, 11> kCelebaTypes{
    "", "photo", "poster", "a4", "face-mask", "upper-body", "region-mask", "pc-screen", "pad", "phone", "3d-mask"};

nlohmann::json celeba_labels(const fs::path& file) {
    const std::vector<uint8_t> bytes = read_file(file);
    nlohmann::json json = nlohmann::json::parse(bytes.begin(), bytes.end(), nullptr, false);
    if (!json.is_object()) throw Error(file.string(), "expected a JSON object of pictures and their labels");
    return json;
}

int64_t celeba_number(const fs::path& file, const std::string& key, const nlohmann::json& value, size_t at) {
    if (!value.is_array() || value.size() != 44 || !value[at].is_number_integer())
        throw Error(file.string(), "expected 44 whole numbers for " + in_quotes(key));
    return value[at].get<int64_t>();
}

/// The box beside the picture, in its pixels; empty when there is none that makes sense.
std::optional<Box> celeba_box(const fs::path& picture) {
    const fs::path file = picture.parent_path() / (picture.stem().string() + "_BB.txt");
    std::error_code code;
    if (!fs::is_regular_file(file, code) || fs::file_size(file, code) == 0) return {};
    const std::vector<std::string> lines = lines_of(file);
    const std::vector<double> v = lines.empty() ? std::vector<double>{} : numbers_of(lines[0]);
    const auto [width, height] = picture_size(picture);
    if (v.size() < 4 || width <= 0 || height <= 0) return {};
    const double sx = static_cast<double>(width) / 224, sy = static_cast<double>(height) / 224;
    const Box box{static_cast<float>(v[0] * sx), static_cast<float>(v[1] * sy), static_cast<float>(v[2] * sx),
                  static_cast<float>(v[3] * sy)};
    return touches(box, width, height) ? std::optional<Box>(box) : std::nullopt;
}

void add_celeba_labels(const Tree& tree, const fs::path& file, Split split, Dataset& out) {
    const nlohmann::json labels = celeba_labels(file);
    for (const auto& [key, value] : labels.items()) {
        Sample s;
        s.path = tree.root() / key;
        std::error_code code;
        if (!fs::is_regular_file(s.path, code)) {
            out.skipped.push_back(s.path.string() + ": listed, but not there");
            continue;
        }
        const int64_t type = celeba_number(file, key, value, 40), spoof = celeba_number(file, key, value, 43);
        if (spoof < 0 || spoof > 1 || type < 0 || type >= static_cast<int64_t>(kCelebaTypes.size()))
            throw Error(file.string(), "the labels of " + in_quotes(key) + " are none that are known");
        const std::vector<std::string> folders = parts_of(key, "/");
        if (folders.size() >= 3) s.subject = folders[folders.size() - 3];
        s.label = spoof == 0 ? Label::bonafide : Label::attack;
        if (spoof == 1) s.attack_type = kCelebaTypes[static_cast<size_t>(type)];
        s.split = split;
        out.samples.push_back(std::move(s));
    }
}

/// Most of the time goes into opening the files.
void add_celeba_boxes(const ImportOptions& options, Dataset& out) {
    parallel_for(
        out.size(), options.threads,
        [&](int64_t i) {
            Sample& sample = out.samples[static_cast<size_t>(i)];
            try {
                sample.box = celeba_box(sample.path);
            } catch (const Error&) {
                sample.box.reset();  // counted below
            }
        },
        options.progress);
    int64_t missing = 0;
    for (const Sample& sample : out.samples) missing += !sample.box;
    warn_of(out, missing, "pictures have no usable face box");
}

Dataset read_celeba_spoof(const fs::path& source, const ImportOptions& options) {
    const Tree tree = Tree::within(source, "CelebA_Spoof", kCelebaSpoof.layout);
    tree.folder("Data");
    const std::string protocol = options.protocol == "none" ? "intra_test" : options.protocol;
    const Tree metas(tree.folder("metas/" + protocol), kCelebaSpoof.layout);
    Dataset out;
    add_celeba_labels(tree, metas.file("train_label.json"), Split::train, out);
    add_celeba_labels(tree, metas.file("test_label.json"), Split::test, out);
    add_celeba_boxes(options, out);
    return out;
}

}  // namespace

constinit const Importer kCelebaSpoof{
    .name = "celeba-spoof",
    .title = "CelebA-Spoof",
    .citation = "Zhang et al.: CelebA-Spoof, large-scale face anti-spoofing dataset with rich annotations, ECCV 2020",
    .layout = "Data/{train,test}/<subject>/{live,spoof}/ with *_BB.txt, metas/intra_test/{train,test}_label.json",
    .protocols = "intra_test protocol1 protocol2",
    .read = read_celeba_spoof};

}  // namespace liven::data

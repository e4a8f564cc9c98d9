#include "src/data/prepare/output_folder.hpp"

#include <nlohmann/json.hpp>

#include "liven/core/error.hpp"
#include "liven/data/video.hpp"
#include "src/core/writing.hpp"
#include "src/data/prepare/journal.hpp"
#include "src/data/whole_file.hpp"

namespace liven::data {
namespace fs = std::filesystem;
namespace {

/// A file's stem as a part of a name anywhere: no control bytes or slashes, cut between two characters of UTF-8.
std::string plain_stem(const fs::path& path) {
    constexpr size_t longest = 80;
    std::string out = path.stem().string();
    if (out.size() > longest) {
        size_t end = longest;
        while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0) == 0x80) --end;
        out.resize(end);
    }
    for (char& c : out)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F || c == '\\') c = '_';
    return out;
}

}  // namespace

OutputFolder::OutputFolder(const fs::path& folder) : path_(fs::absolute(folder).lexically_normal()) {}

fs::path OutputFolder::picture(size_t number, const Sample& sample, bool jpeg) const {
    std::string name = std::to_string(number);
    name.insert(0, name.size() < 6 ? 6 - name.size() : 0, '0');
    name += '-' + plain_stem(sample.path);
    if (is_video(sample.path)) name += "-f" + std::to_string(sample.frame);
    return path_ / "images" / name_of(sample.label) / (name + (jpeg ? ".jpg" : ".png"));
}

std::string OutputFolder::finished_fingerprint() const {
    std::error_code code;
    if (!fs::is_regular_file(report(), code)) return {};
    const std::vector<uint8_t> bytes = read_file(report());
    const auto json = nlohmann::json::parse(bytes.begin(), bytes.end(), nullptr, false);
    return json.is_object() && json.contains("fingerprint") && json["fingerprint"].is_string()
               ? json["fingerprint"].get<std::string>()
               : std::string();
}

bool OutputFolder::begun() const {
    std::error_code code;
    return fs::exists(Journal::path_in(path_), code);
}

OutputFolder::Content OutputFolder::content(const std::string& fingerprint, bool overwrite) const {
    std::error_code code;
    const bool finished = fs::exists(manifest(), code);
    const std::string own = finished_fingerprint();
    if (finished && own == fingerprint) return Content::finished;
    if (finished && own.empty())
        throw Error(path_.string(), "the folder holds a manifest that is no preparation's", "take another folder");
    if (!finished && !begun() && own.empty() && fs::exists(path_ / "images", code))
        throw Error(path_.string(), "the folder holds images that no preparation wrote", "take another folder");
    const bool other = finished || (begun() && Journal::fingerprint_in(path_).value_or("") != fingerprint);
    if (!other) return Content::open;
    // A journal that was cut off within its first line tells of nothing that was done.
    if (!finished && Journal::fingerprint_in(path_).value_or("").empty()) return Content::open;
    if (!overwrite)
        throw Error(path_.string(), "the folder holds another preparation",
                    "the same options and files go on with it; --overwrite replaces it");
    return Content::another;
}

bool OutputFolder::is_finished(const std::string& fingerprint, bool overwrite) const {
    return content(fingerprint, overwrite) == Content::finished && !begun();
}

bool OutputFolder::holds(const std::string& fingerprint, bool overwrite) const {
    const Content held = content(fingerprint, overwrite);
    std::error_code ignored;
    if (held == Content::finished) fs::remove(Journal::path_in(path_), ignored);
    if (held == Content::another) clear();
    return held == Content::finished;
}

void OutputFolder::clear() const {
    // The manifest first: what is left when this is stopped says of itself that it is no finished set.
    for (const fs::path& path :
         {manifest(), path_ / "images", path_ / "report.html", Journal::path_in(path_), report()}) {
        std::error_code code;
        fs::remove_all(path, code);
        if (code) throw Error(path.string(), "cannot be removed: " + code.message());
    }
}

void OutputFolder::make() const {
    for (const Label label : {Label::bonafide, Label::attack}) {
        make_folders(path_ / "images" / name_of(label));
    }
}

void OutputFolder::remove_partial_files() const {
    std::error_code code;
    for (fs::recursive_directory_iterator it(path_ / "images", code), end; !code && it != end; it.increment(code)) {
        std::error_code ignored;
        if (it->path().extension() == partial_ending) fs::remove(it->path(), ignored);
    }
}

}  // namespace liven::data

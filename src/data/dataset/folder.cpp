#include "liven/data/folder.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "liven/core/error.hpp"
#include "liven/data/video.hpp"
#include "src/data/names.hpp"
#include "src/data/text.hpp"

namespace liven::data {
namespace fs = std::filesystem;
namespace {

bool is_attack_type(const std::string& word) {
    for (const char* known : {"print", "printed", "photo", "paper", "replay", "display", "screen", "mask", "cut"})
        if (word == known) return true;
    return false;
}

/// Words of a folder's name: attack_training -> attack, training; bona-fide -> bonafide.
std::vector<std::string> words_of(const std::string& name) {
    std::vector<std::string> words(1);
    for (char c : lower(name)) {
        if (c >= 'a' && c <= 'z')
            words.back() += c;
        else if (!words.back().empty())
            words.emplace_back();
    }
    if (words.back().empty()) words.pop_back();
    if (words.size() >= 2 && words[0] == "bona" && words[1] == "fide") {
        words.erase(words.begin());
        words[0] = "bonafide";
    }
    return words;
}

std::optional<Label> class_of(const std::vector<std::string>& words) {
    if (words.empty()) return {};
    if (words[0].rfind("client", 0) == 0) return Label::bonafide;
    if (words[0].rfind("imposter", 0) == 0 || words[0].rfind("impostor", 0) == 0) return Label::attack;
    return label_from(words[0]);
}

std::optional<Split> split_among(const std::vector<std::string>& words) {
    for (const std::string& word : words)
        if (const auto split = split_from(word)) return split;
    return {};
}

class FolderReader {
public:
    explicit FolderReader(fs::path root) : root_(std::move(root)) {}

    Dataset run() {
        const fs::path full = fs::absolute(root_).lexically_normal();
        out_.name = (full.has_filename() ? full : full.parent_path()).filename().string();
        walk(root_, {});
        // Links come after everything real, so that a picture is filed under its own folder rather than an alias of it.
        while (!links_.empty()) {
            const auto [folder, parts] = std::move(links_.back());
            links_.pop_back();
            walk(folder, parts);
        }
        if (out_.samples.empty()) nothing_found();
        if (unclassed_ > 0)
            out_.warnings.push_back(thousands(unclassed_) +
                                    " pictures lie outside any class folder and are passed over");
        return std::move(out_);
    }

private:
    [[noreturn]] void nothing_found() const {
        constexpr const char* hint =
            "expected folders such as bonafide and attack (or real, live, genuine, client against spoof, fake, "
            "imposter), or a manifest.csv";
        if (unclassed_ > 0)
            throw Error(root_.string(),
                        "none of the " + std::to_string(unclassed_) + " pictures lies in a class folder", hint);
        throw Error(root_.string(), "the folder holds no pictures", hint);
    }

    /// True the first time a folder is met, by its identity, not its name: links cannot make a loop.
    bool enter(const fs::path& folder) {
        struct stat status {};
        return ::stat(folder.c_str(), &status) == 0 && visited_.emplace(status.st_dev, status.st_ino).second;
    }

    void walk(const fs::path& folder, const std::vector<std::string>& parts) {
        if (parts.size() > 64 || !enter(folder)) return;
        std::error_code code;
        std::vector<fs::directory_entry> entries;
        for (fs::directory_iterator it(folder, code), end; !code && it != end; it.increment(code))
            entries.push_back(*it);
        if (code) {
            out_.skipped.push_back(folder.string());
            out_.warnings.push_back("the folder " + folder.string() + " cannot be read: " + code.message());
            return;
        }
        std::sort(entries.begin(), entries.end());  // the file system's order is no order
        for (const fs::directory_entry& entry : entries) {
            const std::string name = entry.path().filename().string();
            if (name.empty() || name[0] == '.' || name == "Thumbs.db") continue;
            if (entry.is_directory(code)) {
                std::vector<std::string> below = parts;
                below.push_back(name);
                if (entry.is_symlink(code))
                    links_.emplace_back(entry.path(), std::move(below));
                else
                    walk(entry.path(), below);
            } else {
                add(entry.path(), parts);
            }
        }
    }

    void add(const fs::path& path, const std::vector<std::string>& parts) {
        if (!has_image_ending(path) && !is_video(path)) {
            out_.skipped.push_back(path.string());
            return;
        }
        Sample s;
        size_t at = 0;
        std::optional<Label> label;
        for (; at < parts.size() && !label; ++at) {
            const std::vector<std::string> words = words_of(parts[at]);
            label = class_of(words);
            const auto split = split_among(words);
            if (split) s.split = *split;
            if (!label && !split && s.dataset.empty() && lower(parts[at]) != "images") s.dataset = parts[at];
        }
        if (!label) {
            ++unclassed_;
            return;
        }
        s.path = path;
        s.label = *label;
        if (s.dataset.empty()) s.dataset = out_.name;
        const bool film = is_video(path);
        const auto [before, frame] = frame_of(path);
        s.frame = film ? -1 : frame;
        const bool upstream_k = at >= 2 && lower(parts[at - 2]) == "images" && s.split != Split::none;
        if (at < parts.size() && s.label == Label::attack && is_attack_type(lower(parts[at])))
            s.attack_type = lower(parts[at++]);
        if (at < parts.size()) s.subject = parts[at];
        // The class belongs to the video: a person is recorded twice, once as client and once as imposter.
        if (film) {
            s.video = path.lexically_relative(root_).generic_string();
        } else if (at + 1 < parts.size()) {
            s.video = std::string(name_of(s.label)) + '/' + s.attack_type;
            for (size_t i = at; i < parts.size(); ++i) s.video += '/' + parts[i];
        } else if (upstream_k && at == parts.size() && !before.empty()) {
            s.video = std::string(name_of(s.label)) + '/' + before;
        }
        out_.samples.push_back(std::move(s));
    }

    fs::path root_;
    Dataset out_;
    int64_t unclassed_ = 0;
    std::set<std::pair<dev_t, ino_t>> visited_;
    std::vector<std::pair<fs::path, std::vector<std::string>>> links_;
};

}  // namespace

Dataset read_folder(const fs::path& root) {
    std::error_code code;
    if (!fs::is_directory(root, code))
        throw Error(root.string(), fs::exists(root, code) ? "expected a folder" : "there is no such folder");
    return FolderReader(root).run();
}

}  // namespace liven::data

#include "src/data/import/tree.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "liven/core/error.hpp"
#include "liven/data/image.hpp"
#include "src/data/text.hpp"

namespace liven::data {
namespace fs = std::filesystem;
namespace {

/// `wanted` chooses folders (true) or files.
std::vector<fs::path> entries_of(const fs::path& folder, bool wanted) {
    std::vector<fs::path> out;
    std::error_code code;
    for (fs::directory_iterator it(folder, code), end; !code && it != end; it.increment(code)) {
        std::error_code ignored;
        if (it->path().filename().string()[0] != '.' && it->is_directory(ignored) == wanted) out.push_back(it->path());
    }
    if (code) throw Error(folder.string(), "the folder cannot be read: " + code.message());
    std::sort(out.begin(), out.end());
    return out;
}

/// "a, b, c and 12 more", for messages.
std::string listing_of(const fs::path& folder) {
    constexpr size_t shown = 6;
    std::vector<std::string> names;
    for (const fs::path& path : entries_of(folder, true)) names.push_back(path.filename().string() + "/");
    for (const fs::path& path : entries_of(folder, false)) names.push_back(path.filename().string());
    if (names.empty()) return "the folder is empty";
    std::string out = "there is " + names[0];
    for (size_t i = 1; i < std::min(names.size(), shown); ++i) out += ", " + names[i];
    if (names.size() > shown) out += " and " + thousands(static_cast<long long>(names.size() - shown)) + " more";
    return out;
}

void gather(const fs::path& folder, int depth, std::vector<fs::path>& out) {
    for (const fs::path& file : files_in(folder)) out.push_back(file);
    if (depth > 0)
        for (const fs::path& below : folders_in(folder)) gather(below, depth - 1, out);
}

}  // namespace

Tree::Tree(fs::path root, std::string_view expected) : root_(std::move(root)), expected_(expected) {
    std::error_code code;
    if (!fs::is_directory(root_, code))
        throw Error(root_.string(), fs::exists(root_, code) ? "expected a folder" : "there is no such folder",
                    "expected " + expected_);
}

Tree Tree::within(const fs::path& root, const std::string& name, std::string_view expected) {
    std::error_code code;
    return {fs::is_directory(root / name, code) ? root / name : root, expected};
}

bool Tree::has(const std::string& name) const {
    std::error_code code;
    return fs::exists(root_ / name, code);
}

fs::path Tree::folder(const std::string& name) const { return any_folder({name}); }

fs::path Tree::any_folder(const std::vector<std::string>& names) const {
    std::error_code code;
    std::string all;
    for (const std::string& name : names) {
        if (fs::is_directory(root_ / name, code)) return root_ / name;
        all += (all.empty() ? "" : " or ") + name;
    }
    misfit("expected the folder " + all);
}

fs::path Tree::file(const std::string& name) const {
    std::error_code code;
    if (!fs::is_regular_file(root_ / name, code)) misfit("expected the file " + name);
    return root_ / name;
}

std::string Tree::name_of(const fs::path& path) const { return path.lexically_relative(root_).generic_string(); }

void Tree::misfit(const std::string& what) const {
    throw Error(root_.string(), what + ", but " + listing_of(root_), "expected " + expected_);
}

std::vector<fs::path> folders_in(const fs::path& folder) { return entries_of(folder, true); }
std::vector<fs::path> files_in(const fs::path& folder) { return entries_of(folder, false); }

std::vector<fs::path> files_below(const fs::path& folder) {
    std::vector<fs::path> out;
    gather(folder, 16, out);
    return out;
}

std::vector<std::string> lines_of(const fs::path& file) {
    const std::vector<uint8_t> bytes = read_file(file);
    std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (text.substr(0, 3) == "\xef\xbb\xbf") text.remove_prefix(3);
    if (text.find('\0') != std::string_view::npos) throw Error(file.string(), "expected a text file, but it holds NUL");
    std::vector<std::string> out;
    for (const std::string& line : parts_of(text, "\r\n")) {
        const size_t first = line.find_first_not_of(" \t");
        if (first != std::string::npos) out.push_back(line.substr(first, line.find_last_not_of(" \t") - first + 1));
    }
    return out;
}

std::vector<std::string> parts_of(std::string_view text, std::string_view separators) {
    std::vector<std::string> out;
    for (size_t at = 0; (at = text.find_first_not_of(separators, at)) != std::string_view::npos;) {
        const size_t end = std::min(text.find_first_of(separators, at), text.size());
        out.emplace_back(text.substr(at, end - at));
        at = end;
    }
    return out;
}

int64_t whole_number(std::string_view text) {
    int64_t value = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && value >= 0 ? value : -1;
}

std::vector<double> numbers_of(std::string_view line) {
    std::vector<double> out;
    for (const std::string& part : parts_of(line, " \t,")) {
        double value = 0;
        const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
        if (error != std::errc() || end != part.data() + part.size() || !std::isfinite(value)) return {};
        out.push_back(value);
    }
    return out;
}

}  // namespace liven::data

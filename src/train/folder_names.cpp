#include "folder_names.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include "liven/core/error.hpp"

namespace liven {
namespace {

namespace fs = std::filesystem;

/// The last `parts` parts of the path: "run", "b/run", "a/b/run".
std::string tail_of(const fs::path& folder, std::ptrdiff_t parts) {
    fs::path whole = fs::absolute(folder).lexically_normal().relative_path();
    if (!whole.has_filename()) whole = whole.parent_path();
    const std::ptrdiff_t count = std::distance(whole.begin(), whole.end());
    fs::path out;
    for (auto it = std::next(whole.begin(), std::max<std::ptrdiff_t>(0, count - parts)); it != whole.end(); ++it)
        out /= *it;
    return out.string();
}

}  // namespace

std::vector<std::string> names_of(std::span<const fs::path> paths) {
    constexpr std::ptrdiff_t most = 64;
    for (std::ptrdiff_t parts = 1; parts <= most; ++parts) {
        std::vector<std::string> names;
        for (const fs::path& path : paths) names.push_back(tail_of(path, parts));
        if (std::set<std::string>(names.begin(), names.end()).size() == paths.size()) return names;
    }
    throw Error("report", "expected different runs, got one twice");
}

}  // namespace liven

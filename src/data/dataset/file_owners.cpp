#include "liven/data/file_owners.hpp"

#include "liven/core/error.hpp"
#include "src/data/text.hpp"

namespace liven::data {
namespace fs = std::filesystem;

std::string FileOwners::identity_of(const fs::path& file) {
    fs::path whole = fs::absolute(file).lexically_normal();
    if (!whole.has_filename()) whole = whole.parent_path();
    // Asking the file system once a folder, not once a picture.
    const auto [it, fresh] = folders_.try_emplace(whole.parent_path().string());
    if (fresh) {
        std::error_code code;
        const fs::path folder = fs::weakly_canonical(whole.parent_path(), code);
        it->second = code ? it->first : folder.string();
    }
    return it->second + '/' + whole.filename().string();
}

void FileOwners::add(const fs::path& file, const std::string& set) {
    const auto [it, fresh] = owners_.try_emplace(identity_of(file), set);
    if (!fresh && it->second != set)
        throw Error("data",
                    "the sets " + in_quotes(it->second) + " and " + in_quotes(set) + " share the file " +
                        in_quotes(file.string()),
                    "list it in one of them: what one is trained on, the other would be tested on");
}

}  // namespace liven::data

#include "cell_key.hpp"

#include "data_hash.hpp"
#include "liven/io/file.hpp"

namespace liven::protocol {

std::string key_of(const Cell& cell, const std::function<std::string(const std::filesystem::path&)>& hash_of_data) {
    TrainSettings settings = cell.settings;
    settings.data = cell.source.name;
    std::string facts = settings.to_config().str() + hash_of_data(cell.settings.data);
    if (!settings.pretrained.empty()) facts += file_state(settings.pretrained);
    for (const Target& target : cell.targets) facts += target.name + hash_of_data(target.manifest);
    return hash_of(facts);
}

}  // namespace liven::protocol

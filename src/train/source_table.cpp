#include "liven/train/source_table.hpp"

#include "liven/core/error.hpp"

namespace liven {

SourceTable SourceTable::read(const Config& config, const std::string& where) {
    SourceTable table;
    const std::string prefix = "sources.";
    for (const std::string& key : config.keys())
        if (key.rfind(prefix, 0) == 0) table.paths[key.substr(prefix.size())] = config.text(key, "");
    if (table.paths.empty()) throw Error(where, "expected a table [sources] with a path for each name");
    table.assignment = {.train = config.texts("split.train", {}),
                        .val = config.texts("split.val", {}),
                        .test = config.texts("split.test", {})};
    config.refuse_unknown();
    return table;
}

}  // namespace liven

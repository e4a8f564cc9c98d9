#pragma once

#include <filesystem>
#include <utility>

namespace liven::protocol {

/// CELL: where one training of a protocol keeps what it leaves behind.
class CellFiles {
public:
    explicit CellFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}

    std::filesystem::path run() const { return folder_ / "run"; }              ///< as liven train leaves it
    std::filesystem::path key() const { return folder_ / "key"; }              ///< of settings and data
    std::filesystem::path memory() const { return folder_ / "memory.jsonl"; }  ///< a line an epoch
    std::filesystem::path result() const { return folder_ / "result.json"; }
    std::filesystem::path messages() const { return folder_ / "messages.txt"; }  ///< of the process that ran it

private:
    std::filesystem::path folder_;
};

}  // namespace liven::protocol

#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace liven::protocol {

/// A program that runs one cell, its messages in a file. It is killed when this process dies, however that happens.
class Child {
public:
    /// Throws Error when there is no process to be had.
    Child(const std::vector<std::string>& command, std::filesystem::path messages);
    Child(Child&& other) noexcept;
    Child& operator=(Child&&) = delete;
    /// Kills it when it still runs.
    ~Child();

    /// Its exit status once it has ended (128 + N after signal N); asks only, does not wait.
    std::optional<int> ended();
    /// Asks it to write a checkpoint and stop.
    void stop() const;
    /// The last thing it said.
    std::string last_words() const;

private:
    pid_t id_ = -1;
    std::filesystem::path messages_;
};

}  // namespace liven::protocol

#pragma once

#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "liven/io/json.hpp"
#include "tests/temporary.hpp"

// The program as a user's shell runs it: LIVEN_PROGRAM is its path.

/// A folder that goes with its test; its paths are words of a command.
struct Folder : TemporaryFolder {
    std::string operator/(const std::string& name) const { return (path() / name).string(); }
    /// A file of that content; returns its path.
    std::string file(const std::string& name, std::string_view content) const {
        return TemporaryFolder::file(name, content).string();
    }
};

inline bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

struct Outcome {
    int status = -1;  ///< -1: it ended by a signal
    std::string out, err;

    liven::Json json() const { return liven::Json::parse(out, "stdout"); }
    std::vector<liven::Json> json_lines() const {
        std::vector<liven::Json> lines;
        for (size_t begin = 0, end = 0; (end = out.find('\n', begin)) != std::string::npos; begin = end + 1)
            lines.push_back(liven::Json::parse(out.substr(begin, end - begin), "stdout"));
        return lines;
    }
    /// Status 1, nothing on stdout, one line on stderr that says who speaks.
    bool one_clear_error() const {
        return status == 1 && out.empty() && err.rfind("liven: ", 0) == 0 &&
               std::count(err.begin(), err.end(), '\n') == 1;
    }
};

/// `before` is what the shell does first, or what the program is started by.
inline Outcome liven_program(const std::string& arguments, const std::string& before = {}) {
    const Folder folder;
    const std::string out = folder / "out", err = folder / "err";
    const std::string command =
        "(" + before + " " + LIVEN_PROGRAM + " " + arguments + ") >" + out + " 2>" + err + " </dev/null";
    const int status = std::system(command.c_str());
    return {.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1, .out = contents_of(out), .err = contents_of(err)};
}

/// The keys of an object, in order.
inline std::vector<std::string> keys_of(const liven::Json& object) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : object.members()) keys.push_back(key);
    return keys;
}

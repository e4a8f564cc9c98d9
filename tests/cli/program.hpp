#pragma once

#include <stdlib.h>
#include <sys/wait.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "liven/io/json.hpp"

// The program as a user's shell runs it: LIVEN_PROGRAM is its path.

inline std::string text_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// A folder that goes with its test.
class Folder {
public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "liven-cli-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    std::string operator/(const std::string& name) const { return (path_ / name).string(); }
    /// A file of that content; returns its path.
    std::string file(const std::string& name, const std::string& content) const {
        std::ofstream(path_ / name, std::ios::binary) << content;
        return *this / name;
    }

private:
    std::filesystem::path path_;
};

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

inline Outcome liven_program(const std::string& arguments) {
    const Folder folder;
    const std::string out = folder / "out", err = folder / "err";
    const std::string command = std::string(LIVEN_PROGRAM) + " " + arguments + " >" + out + " 2>" + err + " </dev/null";
    const int status = std::system(command.c_str());
    return {.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1, .out = text_of(out), .err = text_of(err)};
}

/// The keys of an object, in order.
inline std::vector<std::string> keys_of(const liven::Json& object) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : object.members()) keys.push_back(key);
    return keys;
}

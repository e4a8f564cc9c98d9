#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace liven::data {

/// A data set's folder as it was unpacked. What is missing becomes an Error that says what was there instead.
class Tree {
public:
    /// `expected` is the layout in a line, the hint of every error. Throws Error when `root` is no folder.
    Tree(std::filesystem::path root, std::string_view expected);

    const std::filesystem::path& root() const { return root_; }
    bool has(const std::string& name) const;
    /// root/name. Throws Error when there is no such folder, or file.
    std::filesystem::path folder(const std::string& name) const;
    std::filesystem::path file(const std::string& name) const;
    /// The first of the folders that is there. Throws Error when none is.
    std::filesystem::path any_folder(const std::vector<std::string>& names) const;
    /// The path below the root, with slashes.
    std::string name_of(const std::filesystem::path& path) const;
    [[noreturn]] void misfit(const std::string& what) const;

    /// The tree of the folder `name` in `root` when there is one, else of `root`: archives that unpack into a folder of
    /// their own may be given with or without it.
    static Tree within(const std::filesystem::path& root, const std::string& name, std::string_view expected);

private:
    std::filesystem::path root_;
    std::string expected_;
};

/// Sorted; hidden entries left out. Throw Error when the folder cannot be read.
std::vector<std::filesystem::path> folders_in(const std::filesystem::path& folder);
std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder);
/// Of the folder and all below it, up to 16 levels deep.
std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder);

/// The lines of a list, without line ends and blanks around them, without empty ones.
std::vector<std::string> lines_of(const std::filesystem::path& file);
/// The parts between any of the separators, empty ones left out.
std::vector<std::string> parts_of(std::string_view text, std::string_view separators);
/// A whole number from 0, or -1.
int64_t whole_number(std::string_view text);
/// Numbers between blanks or commas; empty when a part is none.
std::vector<double> numbers_of(std::string_view line);

}  // namespace liven::data

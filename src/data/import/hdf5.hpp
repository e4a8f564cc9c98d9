#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

/// Reading HDF5 files nobody vouches for: sizes are looked at before memory is asked for, and nothing outside the file
/// is followed (no external links or storage, no virtual data, no filter plugins). Not for several threads at once.
namespace liven::data {

bool has_hdf5();
/// Throws Error that says how to get it, when the build has none.
void require_hdf5(const std::string& where);

class Hdf5File {
public:
    /// Throws Error when it is no HDF5 file.
    explicit Hdf5File(const std::filesystem::path& path);
    ~Hdf5File();
    Hdf5File(const Hdf5File&) = delete;
    Hdf5File& operator=(const Hdf5File&) = delete;

    bool has(const std::string& name) const;
    /// Names in a group, sorted; an empty name is the root. Throws Error when there is no such group.
    std::vector<std::string> names_in(const std::string& group) const;
    /// Throws Error when there is no such array, for more than 8 axes, and for types other than numbers.
    std::vector<int64_t> shape(const std::string& array) const;
    /// The elements of `array` (`index` < 0), or of its part at `index` of the first axis. Throws Error when the type
    /// in the file is another one than unsigned 8 or 16 bits (integers), or a number (double), and for parts above 192
    /// million elements.
    std::vector<uint8_t> bytes(const std::string& array, int64_t index = -1) const;
    std::vector<uint16_t> words(const std::string& array, int64_t index = -1) const;
    std::vector<double> numbers(const std::string& array, int64_t index = -1) const;

private:
    struct Handle;
    std::unique_ptr<Handle> handle_;
    std::string where_;
};

}  // namespace liven::data

#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "src/core/side_process.hpp"
#include "src/data/import/hdf5_library.hpp"

/// Reading HDF5 files nobody vouches for: the library runs in a process beside, so that its crash, endless loop or
/// hunger for memory is an Error; sizes are looked at before memory is asked for; and nothing outside the file is
/// followed (no external links or storage, no virtual data, no filter plugins). One object is not for several threads
/// at once.
namespace liven::data {

bool has_hdf5();
/// Throws Error that says how to get it, when the build has none.
void require_hdf5(const std::string& where);

/// Every member throws Error when the library fails on the file, from then on.
class Hdf5File {
public:
    /// Throws Error when it is no HDF5 file.
    explicit Hdf5File(const std::filesystem::path& path, const SideLimits& limits = {});
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

    /// The process that reads.
    pid_t process() const;

private:
    struct Beside;
    template <class T>
    std::vector<T> ask(Hdf5Request::Kind kind, const std::string& name, int64_t index, size_t most) const;

    std::unique_ptr<Beside> beside_;
    std::string where_;
};

}  // namespace liven::data

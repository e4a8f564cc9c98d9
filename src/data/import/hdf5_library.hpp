#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

/// The one place that calls the HDF5 library. It runs in a process beside (src/core/side_process.hpp): a damaged file
/// makes the library itself read address 0.
namespace liven::data {

/// What is asked about a file; `open` comes first.
struct Hdf5Request {
    enum class Kind : uint8_t {
        open,     ///< `name` is the path; no bytes
        has,      ///< one byte, 0 or 1
        names,    ///< each with a zero behind it, sorted
        shape,    ///< int64_t each
        bytes,    ///< uint8_t, of the whole array or its part `index`
        words,    ///< uint16_t
        numbers,  ///< double
    };
    Kind kind = Kind::open;
    int64_t index = -1;
    std::string name{};

    std::vector<uint8_t> encoded() const;
    static Hdf5Request decoded(std::span<const uint8_t> bytes);
};

inline constexpr int64_t kMostHdf5Elements = 192'000'000;
inline constexpr size_t kMostHdf5NameBytes = size_t{64} << 20;

/// An open file. Refusals are std::runtime_error without the file's name.
class Hdf5Library {
public:
    /// Makes the library ready; asks for no file.
    Hdf5Library();
    ~Hdf5Library();
    Hdf5Library(const Hdf5Library&) = delete;
    Hdf5Library& operator=(const Hdf5Library&) = delete;

    std::vector<uint8_t> answer(const Hdf5Request& request);

private:
    struct File;
    std::unique_ptr<File> file_;
};

}  // namespace liven::data

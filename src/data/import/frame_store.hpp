#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "liven/data/dataset.hpp"
#include "liven/data/image.hpp"
#include "liven/data/import.hpp"

namespace liven::data {

/// Pictures that an adapter writes of one file: <output>/frames/<recording>/0012.png and
/// <output>/depth/<recording>/0012.png. What is there already and not older than the file is kept, and a picture
/// appears whole or not at all, so an import that was stopped goes on.
class FrameStore {
public:
    /// Throws Error when `options.output` is empty.
    FrameStore(const ImportOptions& options, const std::filesystem::path& file);

    /// The path of the picture, made by `picture` when it is not kept. Throws Error when it cannot be written.
    std::filesystem::path keep(const std::string& recording, int64_t frame, const std::function<Image()>& picture);
    /// The same for millimetres of depth, width x height, as a PNG of 16 bits.
    std::filesystem::path keep_depth(const std::string& recording, int64_t frame, int width, int height,
                                     const std::function<std::vector<uint16_t>()>& depth);
    /// Removes what was written: of a file that turns out to be no recording nothing is left.
    void take_back();

private:
    bool is_kept(const std::filesystem::path& path) const;
    void write(const std::filesystem::path& path, const std::vector<uint8_t>& bytes);

    std::filesystem::path output_;
    std::filesystem::file_time_type changed_;  ///< of the file
    std::vector<std::filesystem::path> written_;
};

/// What a file says of its pictures can be, before it is multiplied or reserved.
bool plausible_size(int64_t width, int64_t height);
/// The same of how many there are.
inline constexpr int64_t max_recorded_frames = 1'000'000;

/// A picture of planes (3 x height x width), or of pixels (height x width x 3), red first. Throws Error when the number
/// of bytes is another.
Image image_of_planes(const std::vector<uint8_t>& bytes, int64_t width, int64_t height, const std::string& where);
Image image_of_pixels(const std::vector<uint8_t>& bytes, int64_t width, int64_t height, const std::string& where);

/// One recording in an HDF5 file.
struct Hdf5Recording {
    std::filesystem::path file;
    Sample known;
};
/// Reads one after the other with progress: HDF5 is not for several threads. `read` returns the rows of one recording;
/// an Error of its names it in `out.skipped`, and leaves no picture of it.
void add_hdf5_recordings(const std::vector<Hdf5Recording>& recordings, const ImportOptions& options, Dataset& out,
                         const std::function<std::vector<Sample>(const Hdf5Recording&, FrameStore&)>& read);

}  // namespace liven::data

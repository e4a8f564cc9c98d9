#include "src/data/import/frame_store.hpp"

#include <algorithm>
#include <iterator>
#include <opencv2/imgcodecs.hpp>

#include "liven/core/error.hpp"
#include "src/core/writing.hpp"
#include "src/data/image/opencv.hpp"
#include "src/data/import/recording.hpp"
#include "src/data/whole_file.hpp"

namespace liven::data {
namespace fs = std::filesystem;
namespace {

fs::path frame_path(const fs::path& folder, const std::string& recording, int64_t frame) {
    std::string number = std::to_string(frame);
    number.insert(0, number.size() < 4 ? 4 - number.size() : 0, '0');
    return folder / recording / (number + ".png");
}

void require_bytes(const std::vector<uint8_t>& bytes, int64_t width, int64_t height, const std::string& where) {
    if (!plausible_size(width, height) || static_cast<int64_t>(bytes.size()) != width * height * 3)
        throw Error(where, "expected a colour picture of " + std::to_string(width) + " x " + std::to_string(height));
}

}  // namespace

FrameStore::FrameStore(const ImportOptions& options, const fs::path& file) : output_(options.output) {
    if (output_.empty()) throw Error("import", "the data set's frames have to be written, but no folder was given");
    std::error_code unreadable;  // said when the file is opened
    changed_ = fs::last_write_time(file, unreadable);
}

bool FrameStore::is_kept(const fs::path& path) const {
    std::error_code code;
    return fs::is_regular_file(path, code) && fs::last_write_time(path, code) >= changed_;
}

fs::path FrameStore::keep(const std::string& recording, int64_t frame, const std::function<Image()>& picture) {
    fs::path path = frame_path(output_ / "frames", recording, frame);
    if (!is_kept(path)) write(path, encode_png(picture()));
    return path;
}

fs::path FrameStore::keep_depth(const std::string& recording, int64_t frame, int width, int height,
                                const std::function<std::vector<uint16_t>()>& depth) {
    fs::path path = frame_path(output_ / "depth", recording, frame);
    if (is_kept(path)) return path;
    std::vector<uint16_t> values = depth();
    if (!plausible_size(width, height) || static_cast<int64_t>(values.size()) != int64_t{width} * height)
        throw Error(path.string(), "expected depth of " + std::to_string(width) + " x " + std::to_string(height));
    const std::vector<uint8_t> bytes = guarded(path.string(), [&] {
        std::vector<uint8_t> out;
        cv::imencode(".png", cv::Mat(height, width, CV_16UC1, values.data()), out);
        return out;
    });
    write(path, bytes);
    return path;
}

void FrameStore::write(const fs::path& path, const std::vector<uint8_t>& bytes) {
    make_folders(path.parent_path());
    write_whole(path, bytes);
    written_.push_back(path);
}

void FrameStore::take_back() {
    std::error_code ignored;
    for (const fs::path& path : written_) fs::remove(path, ignored);
    for (const fs::path& path : written_) fs::remove(path.parent_path(), ignored);  // unless others lie there
    written_.clear();
}

bool plausible_size(int64_t width, int64_t height) {
    return width >= 1 && height >= 1 && width <= max_pixels && height <= max_pixels && width * height <= max_pixels;
}

Image image_of_planes(const std::vector<uint8_t>& bytes, int64_t width, int64_t height, const std::string& where) {
    require_bytes(bytes, width, height, where);
    Image image(static_cast<int>(width), static_cast<int>(height));
    const size_t plane = static_cast<size_t>(width * height);
    for (size_t i = 0; i < plane; ++i)
        for (size_t c = 0; c < 3; ++c) image.pixels[3 * i + c] = bytes[c * plane + i];
    return image;
}

Image image_of_pixels(const std::vector<uint8_t>& bytes, int64_t width, int64_t height, const std::string& where) {
    require_bytes(bytes, width, height, where);
    Image image(static_cast<int>(width), static_cast<int>(height));
    image.pixels = bytes;
    return image;
}

void add_hdf5_recordings(const std::vector<Hdf5Recording>& recordings, const ImportOptions& options, Dataset& out,
                         const std::function<std::vector<Sample>(const Hdf5Recording&, FrameStore&)>& read) {
    const auto total = static_cast<int64_t>(recordings.size());
    for (int64_t i = 0; i < total; ++i) {
        const Hdf5Recording& recording = recordings[static_cast<size_t>(i)];
        FrameStore store(options, recording.file);
        try {
            std::vector<Sample> rows = read(recording, store);
            std::move(rows.begin(), rows.end(), std::back_inserter(out.samples));
        } catch (const Error& error) {
            // A disk that is full is no fault of the recording: going on would only list them all.
            for (const char* below : {"frames", "depth"})
                if (error.where().rfind((options.output / below / "").string(), 0) == 0) throw;
            store.take_back();
            out.skipped.push_back(skipped_line(recording.file.string(), error));
        }
        if (options.progress) options.progress(i + 1, total);
    }
}

}  // namespace liven::data

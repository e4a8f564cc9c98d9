#include <algorithm>
#include <filesystem>
#include <iostream>
#include <liven/core/version.hpp>
#include <liven/data/image.hpp>
#include <liven/data/video.hpp>
#include <liven/liven.hpp>
#include <vector>

// What somebody's program may do that has found an installed Liven: compute, and read pictures and videos. Each needs
// libraries of its own to be linked (OpenMP, OpenCV's, FFmpeg's).

namespace {

namespace data = liven::data;

data::Image grey(int64_t level) {
    data::Image image(32, 24);
    std::fill(image.pixels.begin(), image.pixels.end(), static_cast<uint8_t>(level));
    return image;
}

bool computes() {
    const liven::Tensor x = liven::Tensor::from({1.0f, 2.0f, 3.0f}, liven::Shape{3});
    return liven::sum(liven::square(x)).item() == 14.0f;
}

bool reads_pictures(const std::filesystem::path& folder) {
    data::write(grey(70), folder / "picture.png");
    return data::decode(folder / "picture.png") == grey(70);
}

bool reads_videos(const std::filesystem::path& folder) {
    data::write_video(folder / "video.avi", 3, [](int64_t i) { return grey(50 * i); });
    const std::vector<int64_t> wanted{2};
    const data::Image last = data::read_frames(folder / "video.avi", wanted).at(0);
    return data::inspect_video(folder / "video.avi").frames == 3 && last.width == 32 &&
           std::abs(last.at(5, 5)[1] - 100) < 3;
}

}  // namespace

int main(int, char** arguments) {
    const std::filesystem::path folder = arguments[1];
    const bool all = computes() && reads_pictures(folder) && reads_videos(folder);
    std::cout << "Liven " << liven::version() << (all ? ": all well\n" : ": something is wrong\n");
    return all ? 0 : 1;
}

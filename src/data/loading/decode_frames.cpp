#include "src/data/loading/decode_frames.hpp"

#include "liven/data/video.hpp"

namespace liven::data {

std::vector<Image> decode_frames(const Sample& sample, const Preprocess& preprocess) {
    std::vector<Frame> frames = sample.clip;
    if (frames.empty())
        frames.push_back({.path = sample.path, .number = is_video(sample.path) ? sample.frame : -1, .box = sample.box});
    std::vector<Image> out;
    for (size_t i = 0; i < frames.size();) {
        if (frames[i].number < 0) {
            out.push_back(preprocess.frame(decode(frames[i].path), frames[i].box));
            ++i;
            continue;
        }
        // Neighbours of one file are decoded in one go: a video is read from its start each time.
        std::vector<int64_t> numbers;
        const size_t first = i;
        while (i < frames.size() && frames[i].path == frames[first].path && frames[i].number >= 0)
            numbers.push_back(frames[i++].number);
        const std::vector<Image> images = read_frames(frames[first].path, numbers);
        for (size_t k = 0; k < images.size(); ++k) out.push_back(preprocess.frame(images[k], frames[first + k].box));
    }
    return out;
}

}  // namespace liven::data

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "liven/data/prepare.hpp"

namespace liven::data {

/// A face cut out of its picture, and what is known about it there.
struct FramedFace {
    Image image;
    std::optional<Box> box;  ///< only of a picture that was not cut
    std::vector<Point> landmarks;
};

/// A picture that has no face to cut out; the reason is counted, so it has the same words each time.
struct NoFace {
    std::string reason;
};

/// Finds, aligns and cuts out the face of a sample, still at the scale of its picture. One serves one thread.
class Framer {
public:
    /// Throws Error as make_face_detector does.
    explicit Framer(const PrepareOptions& options);
    /// Throws NoFace.
    FramedFace frame(Image picture, const Sample& sample);

private:
    FramedFace aligned(const Image& picture, const std::vector<Point>& landmarks) const;

    const PrepareOptions& options_;
    std::unique_ptr<FaceDetector> detector_;
};

/// The face at another size, with what is known about it.
FramedFace resized(FramedFace face, int width, int height, Interpolation interpolation);

}  // namespace liven::data

#include "src/data/prepare/framing.hpp"

#include <algorithm>
#include <cmath>

#include "liven/core/error.hpp"
#include "liven/data/align.hpp"

namespace liven::data {
namespace {

void shift_points(std::vector<Point>& points, float dx, float dy) {
    for (Point& p : points) p = {p.x + dx, p.y + dy};
}

FramedFace cut(const Image& picture, const Box& box, double margin, std::vector<Point> landmarks) {
    try {
        const auto grow = static_cast<float>((margin - 1) / 2);
        const Box window = crop_window(picture, box, grow);
        shift_points(landmarks, -window.x, -window.y);
        return {.image = crop(picture, box, grow), .box = {}, .landmarks = std::move(landmarks)};
    } catch (const Error&) {
        throw NoFace{"box empty or outside the picture"};
    }
}

}  // namespace

Framer::Framer(const PrepareOptions& options) : options_(options) {
    if (options.faces == FaceSource::detector) detector_ = make_face_detector(options.detector);
}

FramedFace Framer::frame(Image picture, const Sample& sample) {
    std::optional<Box> box = options_.faces == FaceSource::boxes ? sample.box : std::nullopt;
    std::vector<Point> landmarks = sample.landmarks;
    if (detector_) {
        std::vector<Face> faces = detector_->detect(picture);
        if (faces.empty()) throw NoFace{"no face found"};
        box = faces[0].box;
        if (!faces[0].landmarks.empty()) landmarks = std::move(faces[0].landmarks);
    }
    if (options_.align) {
        if (landmarks.empty()) throw NoFace{"no landmarks"};
        return aligned(picture, landmarks);
    }
    if (options_.faces == FaceSource::none)
        return {.image = std::move(picture), .box = sample.box, .landmarks = std::move(landmarks)};
    if (!box) throw NoFace{"no box"};
    return cut(picture, *box, options_.margin, std::move(landmarks));
}

/// Cut at the scale that the face has in its picture: it is judged before it is resized.
FramedFace Framer::aligned(const Image& picture, const std::vector<Point>& landmarks) const {
    const int width = options_.width > 0 ? options_.width : 256, height = options_.height > 0 ? options_.height : 256;
    try {
        const Similarity to_result = align(landmarks, face_template(landmarks.size(), width, height, options_.margin));
        const double own_width = width / to_result.scale(), own_height = height / to_result.scale();
        // As with boxes: what reaches far beyond the picture shows nothing.
        if (!(own_width >= 1 && own_height >= 1 && own_width <= 3.0 * picture.width + 2 &&
              own_height <= 3.0 * picture.height + 2))
            throw NoFace{"landmarks do not fit the picture"};
        const int w = static_cast<int>(std::lround(own_width)), h = static_cast<int>(std::lround(own_height));
        const Similarity to_own = to_result.scaled(1 / to_result.scale());
        FramedFace out{.image = warp(picture, to_own, std::max(w, 1), std::max(h, 1), options_.interpolation),
                       .box = {},
                       .landmarks = landmarks};
        for (Point& p : out.landmarks) p = to_own(p);
        return out;
    } catch (const Error&) {
        throw NoFace{"landmarks do not fit the picture"};
    }
}

FramedFace resized(FramedFace face, int width, int height, Interpolation interpolation) {
    if (width == 0 || (face.image.width == width && face.image.height == height)) return face;
    const float sx = static_cast<float>(width) / static_cast<float>(face.image.width);
    const float sy = static_cast<float>(height) / static_cast<float>(face.image.height);
    face.image = resize(face.image, width, height, interpolation);
    if (face.box) face.box = Box{face.box->x * sx, face.box->y * sy, face.box->width * sx, face.box->height * sy};
    for (Point& p : face.landmarks) p = {(p.x + 0.5f) * sx - 0.5f, (p.y + 0.5f) * sy - 0.5f};
    return face;
}

}  // namespace liven::data

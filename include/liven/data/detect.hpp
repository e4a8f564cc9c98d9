#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "liven/data/image.hpp"

/// Finding faces in a picture by the detectors that OpenCV can run; their models are files of the user's.
namespace liven::data {

struct Face {
    Box box;
    float score = 0;               ///< 0 to 1, higher is surer; 1 where the detector gives none
    std::vector<Point> landmarks;  ///< yunet: five, left to right (dataset.hpp); else none
};

/// yunet: YuNet of 2023 (Wu et al. 2023; yunet_*.onnx with 12 outputs). res10: the single-shot detector of OpenCV's
/// samples (a .caffemodel with its .prototxt, or a .pb with its .pbtxt). haar: a cascade (Viola and Jones 2001) as XML.
enum class Detector : uint8_t { yunet, res10, haar };
std::string_view name_of(Detector detector);
/// Throws Error naming the choices.
Detector detector_from(std::string_view name);

struct DetectorOptions {
    Detector kind = Detector::yunet;
    std::filesystem::path model{};   ///< haar: empty takes Debian's opencv-data
    std::filesystem::path config{};  ///< res10: the .prototxt or .pbtxt
    float score = 0.6f;              ///< faces of less are left out

    /// Throws Error for a score outside 0 to 1 or a file that is needed and not there.
    void validate() const;
};

/// One detector serves one thread.
class FaceDetector {
public:
    virtual ~FaceDetector() = default;
    /// The faces, surest first; without scores the largest first. Throws Error for an empty picture.
    virtual std::vector<Face> detect(const Image& image) = 0;
};

/// Throws Error as `validate` does, and when the file is no model of that kind.
std::unique_ptr<FaceDetector> make_face_detector(const DetectorOptions& options);

}  // namespace liven::data

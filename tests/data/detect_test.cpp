#include "liven/data/detect.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>

#include "liven/core/error.hpp"
#include "liven/data/synthesize.hpp"
#include "tests/data/helpers.hpp"

using namespace liven;
using namespace liven::data;

namespace {

/// Models are no part of the repository: LIVEN_WEIGHTS names the folder that has them.
std::filesystem::path yunet_file() {
    const char* folder = std::getenv("LIVEN_WEIGHTS");
    return folder == nullptr ? std::filesystem::path() : std::filesystem::path(folder) / "yunet_s_640_640.onnx";
}

}  // namespace

TEST_CASE("A detector without its file, or with another's, is an error that says which") {
    const TemporaryFolder folder;
    for (const Detector kind : {Detector::yunet, Detector::res10, Detector::haar}) {
        CHECK_THROWS_AS(make_face_detector({.kind = kind, .model = folder / "none"}), Error);
        write_bytes(folder / "garbage", "this is no model");
        CHECK_THROWS_AS(make_face_detector({.kind = kind, .model = folder / "garbage", .config = folder / "garbage"}),
                        Error);
        CHECK(detector_from(name_of(kind)) == kind);
    }
    CHECK_THROWS_AS(make_face_detector({.kind = Detector::yunet}), Error);
    CHECK_THROWS_AS(make_face_detector({.score = 2}), Error);
    CHECK_THROWS_AS(detector_from("mtcnn"), Error);
}

TEST_CASE("A cascade looks through a picture and refuses an empty one") {
    std::unique_ptr<FaceDetector> detector;
    try {
        detector = make_face_detector({.kind = Detector::haar});
    } catch (const Error&) {
        return;  // Debian's opencv-data is optional
    }
    CHECK(detector->detect(one_colour(64, 90, 90, 90)).empty());
    CHECK(detector->detect(one_colour(1, 90, 90, 90)).empty());
    CHECK_THROWS_AS(detector->detect(Image()), Error);
}

TEST_CASE("YuNet finds a drawn face, with its eyes above its mouth, at any size") {
    if (yunet_file().empty()) return;
    const TemporaryFolder folder;
    const Dataset set = synthesize(folder / "set", {.subjects = 3, .size = 256, .seed = 3, .threads = 1});
    const auto detector = make_face_detector({.kind = Detector::yunet, .model = yunet_file(), .score = 0.5f});
    int found = 0;
    for (size_t i = 0; i < 6; ++i) {
        const Image image = decode(set.samples[i].path);
        const std::vector<Face> faces = detector->detect(image);
        if (faces.empty()) continue;
        ++found;
        const Face& face = faces[0];
        REQUIRE(face.landmarks.size() == 5);
        CHECK(face.landmarks[0].x < face.landmarks[1].x);
        CHECK(face.landmarks[0].y < face.landmarks[3].y);
        const std::vector<Face> large = detector->detect(resize(image, 1024, 1024, Interpolation::bilinear));
        REQUIRE_FALSE(large.empty());
        // The network sees 640 pixels of the larger one: a few of 1,024 apart.
        CHECK(large[0].box.x == Approx(4 * face.box.x).margin(60));
        CHECK(large[0].box.width == Approx(4 * face.box.width).margin(100));
    }
    CHECK(found > 0);
    CHECK(detector->detect(one_colour(64, 90, 90, 90)).empty());
}

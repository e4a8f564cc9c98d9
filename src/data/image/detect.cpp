#include "liven/data/detect.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/dnn.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>
#include <string>

#include "liven/core/error.hpp"
#include "src/data/image/opencv.hpp"
#include "src/data/text.hpp"

namespace liven::data {
namespace fs = std::filesystem;
namespace {

constexpr const char* kHaarOfDebian = "/usr/share/opencv4/haarcascades/haarcascade_frontalface_default.xml";

fs::path model_of(const DetectorOptions& options) {
    return options.model.empty() && options.kind == Detector::haar ? fs::path(kHaarOfDebian) : options.model;
}

void require_model_file(const fs::path& path, const char* what, const char* hint) {
    std::error_code code;
    if (path.empty()) throw Error("face detector", std::string("expected ") + what, hint);
    if (!fs::is_regular_file(path, code))
        throw Error(path.string(), std::string("there is no such file; expected ") + what, hint);
}

bool finite(const Face& face) {
    bool fine = std::isfinite(face.score);
    for (float v : {face.box.x, face.box.y, face.box.width, face.box.height}) fine = fine && std::isfinite(v);
    for (const Point& p : face.landmarks) fine = fine && std::isfinite(p.x) && std::isfinite(p.y);
    return fine && face.box.width > 0 && face.box.height > 0;
}

void sort_faces(std::vector<Face>& faces) {
    std::erase_if(faces, [](const Face& f) { return !finite(f); });
    std::stable_sort(faces.begin(), faces.end(), [](const Face& a, const Face& b) {
        if (a.score != b.score) return a.score > b.score;
        return a.box.width * a.box.height > b.box.width * b.box.height;
    });
}

float overlap_of(const Box& a, const Box& b) {
    const float width = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
    const float height = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
    const float common = std::max(0.0f, width) * std::max(0.0f, height);
    return common / (a.width * a.height + b.width * b.height - common);
}

/// Of faces that overlap the surest stays; `faces` come surest first.
void keep_surest(std::vector<Face>& faces, float most_overlap) {
    std::vector<Face> kept;
    for (Face& face : faces)
        if (std::none_of(kept.begin(), kept.end(),
                         [&](const Face& k) { return overlap_of(k.box, face.box) > most_overlap; }))
            kept.push_back(std::move(face));
    faces = std::move(kept);
}

/// YuNet has no anchors: each cell of three grids (strides 8, 16 and 32 pixels) tells one box and five points.
class YuNet final : public FaceDetector {
public:
    explicit YuNet(const DetectorOptions& options) : least_score_(options.score) {
        net_ = cv::dnn::readNetFromONNX(options.model.string());
        const std::vector<std::string> there = net_.getUnconnectedOutLayersNames();
        for (const char* what : {"cls", "obj", "bbox", "kps"})
            for (const int stride : kStrides) {
                names_.push_back(std::string(what) + '_' + std::to_string(stride));
                if (std::find(there.begin(), there.end(), names_.back()) == there.end())
                    throw Error(options.model.string(), "the network has no output " + names_.back(),
                                "YuNet of 2023 has cls, obj, bbox and kps for 8, 16 and 32");
            }
    }

    std::vector<Face> detect(const Image& image) override {
        const double scale = std::min(1.0, static_cast<double>(kExtent) / std::max(image.width, image.height));
        const auto outputs = run(image, scale);
        std::vector<Face> faces;
        for (size_t level = 0; level < kStrides.size(); ++level) collect(outputs, level, faces);
        sort_faces(faces);
        keep_surest(faces, 0.3f);
        for (Face& face : faces) enlarge(face, static_cast<float>(1 / scale));
        return faces;
    }

private:
    static constexpr int kExtent = 640;
    static constexpr std::array<int, 3> kStrides{8, 16, 32};

    /// The picture in the upper left corner of a black square, blue first.
    std::vector<cv::Mat> run(const Image& image, double scale) {
        cv::Mat square = cv::Mat::zeros(kExtent, kExtent, CV_8UC3);
        const int width = std::clamp(static_cast<int>(std::lround(image.width * scale)), 1, kExtent);
        const int height = std::clamp(static_cast<int>(std::lround(image.height * scale)), 1, kExtent);
        cv::Mat corner = square(cv::Rect(0, 0, width, height));
        cv::resize(view(image), corner, corner.size(), 0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
        net_.setInput(cv::dnn::blobFromImage(square, 1, {}, {}, true));
        std::vector<cv::Mat> outputs;
        net_.forward(outputs, names_);
        for (size_t i = 0; i < outputs.size(); ++i) {
            const size_t stride = static_cast<size_t>(kStrides[i % 3]), side = kExtent / stride;
            constexpr std::array<size_t, 4> values{1, 1, 4, 10};
            if (outputs[i].total() != side * side * values[i / 3] || outputs[i].type() != CV_32F)
                throw Error("yunet", "the output " + names_[i] + " has another size than YuNet's");
        }
        return outputs;
    }

    void collect(const std::vector<cv::Mat>& outputs, size_t level, std::vector<Face>& faces) const {
        const int stride = kStrides[level], side = kExtent / stride;
        const auto* sure = outputs[level].ptr<float>();
        const auto* there = outputs[3 + level].ptr<float>();
        const auto* boxes = outputs[6 + level].ptr<float>();
        const auto* points = outputs[9 + level].ptr<float>();
        for (int cell = 0; cell < side * side; ++cell) {
            const float score = std::sqrt(std::clamp(sure[cell], 0.0f, 1.0f) * std::clamp(there[cell], 0.0f, 1.0f));
            if (!(score >= least_score_)) continue;
            const auto step = static_cast<float>(stride);
            const int line = cell / side;
            const auto column = static_cast<float>(cell % side), row = static_cast<float>(line);
            const float* box = boxes + 4 * cell;
            Face face;
            face.score = score;
            face.box.width = std::exp(box[2]) * step;
            face.box.height = std::exp(box[3]) * step;
            face.box.x = (column + box[0]) * step - face.box.width / 2;
            face.box.y = (row + box[1]) * step - face.box.height / 2;
            for (size_t p = 0; p < 5; ++p) {
                const float* point = points + 10 * cell + 2 * p;
                face.landmarks.push_back({(point[0] + column) * step, (point[1] + row) * step});
            }
            faces.push_back(std::move(face));
        }
    }

    static void enlarge(Face& face, float factor) {
        for (float* v : {&face.box.x, &face.box.y, &face.box.width, &face.box.height}) *v *= factor;
        for (Point& p : face.landmarks) p = {p.x * factor, p.y * factor};
    }

    cv::dnn::Net net_;
    std::vector<std::string> names_;
    float least_score_;
};

class Res10 final : public FaceDetector {
public:
    explicit Res10(const DetectorOptions& options) : least_score_(options.score) {
        net_ = cv::dnn::readNet(options.model.string(), options.config.string());
    }

    std::vector<Face> detect(const Image& image) override {
        // Blue first, stretched to 300 x 300, less the mean that the published users feed it.
        net_.setInput(cv::dnn::blobFromImage(view(image), 1, {300, 300}, {104, 177, 123}, true));
        const cv::Mat out = net_.forward();
        if (out.dims != 4 || out.size[3] != 7 || out.type() != CV_32F)
            throw Error("res10", "the network's output is not N x 7");
        std::vector<Face> faces;
        for (int i = 0; i < out.size[2]; ++i) {
            const float* row = out.ptr<float>(0, 0, i);
            if (!(row[2] >= least_score_)) continue;
            const auto width = static_cast<float>(image.width), height = static_cast<float>(image.height);
            const float x = std::clamp(row[3], 0.0f, 1.0f) * width, y = std::clamp(row[4], 0.0f, 1.0f) * height;
            faces.push_back(
                {.box = {x, y, std::clamp(row[5], 0.0f, 1.0f) * width - x, std::clamp(row[6], 0.0f, 1.0f) * height - y},
                 .score = row[2],
                 .landmarks = {}});
        }
        sort_faces(faces);
        return faces;
    }

private:
    cv::dnn::Net net_;
    float least_score_;
};

class Haar final : public FaceDetector {
public:
    explicit Haar(const fs::path& model) {
        if (!cascade_.load(model.string())) throw Error(model.string(), "the file is no cascade that OpenCV reads");
    }

    std::vector<Face> detect(const Image& image) override {
        cv::Mat grey;
        cv::cvtColor(view(image), grey, cv::COLOR_RGB2GRAY);
        cv::equalizeHist(grey, grey);
        std::vector<cv::Rect> found;
        const int least = std::max(24, std::min(image.width, image.height) / 8);
        cascade_.detectMultiScale(grey, found, 1.1, 5, 0, {least, least});
        std::vector<Face> faces;
        for (const cv::Rect& r : found)
            faces.push_back({.box = {static_cast<float>(r.x), static_cast<float>(r.y), static_cast<float>(r.width),
                                     static_cast<float>(r.height)},
                             .score = 1,
                             .landmarks = {}});
        sort_faces(faces);
        return faces;
    }

private:
    cv::CascadeClassifier cascade_;
};

/// OpenCV's exceptions become Error.
class GuardedDetector final : public FaceDetector {
public:
    explicit GuardedDetector(std::unique_ptr<FaceDetector> detector) : detector_(std::move(detector)) {}
    std::vector<Face> detect(const Image& image) override {
        if (image.empty()) throw Error("face detector", "the picture is empty");
        return guarded("face detector", [&] { return detector_->detect(image); });
    }

private:
    std::unique_ptr<FaceDetector> detector_;
};

}  // namespace

std::string_view name_of(Detector detector) {
    switch (detector) {
        case Detector::yunet:
            return "yunet";
        case Detector::res10:
            return "res10";
        case Detector::haar:
            return "haar";
    }
    return "?";
}

Detector detector_from(std::string_view name) {
    for (auto d : {Detector::yunet, Detector::res10, Detector::haar})
        if (name == name_of(d)) return d;
    throw Error("face detector", "expected yunet, res10 or haar, but got " + in_quotes(name));
}

void DetectorOptions::validate() const {
    if (!(score >= 0 && score <= 1))
        throw Error("face detector", "expected a score from 0 to 1, but got " + number(score));
    switch (kind) {
        case Detector::yunet:
            return require_model_file(model, "the YuNet model (.onnx)",
                                      "face_detection_yunet_2023mar.onnx of OpenCV's model zoo");
        case Detector::res10:
            require_model_file(model, "the res10 model (.caffemodel or .pb)", "it comes with OpenCV's samples");
            return require_model_file(config, "its description (.prototxt or .pbtxt)", "give it with the model");
        case Detector::haar:
            return require_model_file(model_of(*this), "a cascade (.xml)", "Debian has some in opencv-data");
    }
}

std::unique_ptr<FaceDetector> make_face_detector(const DetectorOptions& options) {
    options.validate();
    const fs::path model = model_of(options);
    return guarded(model.string(), [&]() -> std::unique_ptr<FaceDetector> {
        std::unique_ptr<FaceDetector> made;
        if (options.kind == Detector::yunet) made = std::make_unique<YuNet>(options);
        if (options.kind == Detector::res10) made = std::make_unique<Res10>(options);
        if (options.kind == Detector::haar) made = std::make_unique<Haar>(model);
        return std::make_unique<GuardedDetector>(std::move(made));
    });
}

}  // namespace liven::data

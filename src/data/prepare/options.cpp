#include <cmath>
#include <nlohmann/json.hpp>

#include "liven/core/error.hpp"
#include "liven/data/prepare.hpp"
#include "src/data/text.hpp"

namespace liven::data {
namespace {

[[noreturn]] void refuse_option(const std::string& what, std::string_view hint = {}) {
    throw Error("prepare", what, hint);
}

void require_within(const char* name, double value, double low, double high) {
    if (!(value >= low && value <= high))
        refuse_option(std::string("expected ") + name + " from " + number(low) + " to " + number(high) + ", but got " +
                      number(value));
}

const char* name_of_source(FaceSource source) {
    return source == FaceSource::none ? "none" : source == FaceSource::boxes ? "boxes" : "detector";
}

}  // namespace

void PrepareOptions::validate() const {
    if (output.empty()) refuse_option("expected a folder to write to");
    require_within("frames", static_cast<double>(frames), 0, 1024);
    require_within("every", static_cast<double>(every), 0, 1e6);
    require_within("a margin", margin, 0.1, 8);
    if ((width != 0 || height != 0) && (width < 1 || height < 1 || width > 16384 || height > 16384))
        refuse_option("expected a size from 1 to 16384, or 0 x 0 for none, but got " + std::to_string(width) + " x " +
                      std::to_string(height));
    if (least_quality) require_within("a least quality", *least_quality, 0, 1);
    if (!judge && (least_quality || balance))
        refuse_option("a least quality and balancing need the quality to be judged");
    if (margin != 1 && faces == FaceSource::none && !align)
        refuse_option("a margin of " + number(margin) + " without a box means nothing",
                      "--faces boxes, or a detector, or --align");
    require_within("a JPEG quality", jpeg_quality, 1, 100);
    if (faces == FaceSource::detector) detector.validate();
}

std::string PrepareOptions::to_json() const {
    nlohmann::ordered_json json{{"frames", every > 0 ? 0 : frames}, {"every", every}, {"faces", name_of_source(faces)}};
    if (faces == FaceSource::detector)
        json["detector"] = {
            {"kind", name_of(detector.kind)}, {"model", detector.model.filename().string()}, {"score", detector.score}};
    json["margin"] = margin;
    json["align"] = align;
    json["width"] = width;
    json["height"] = height;
    json["interpolation"] = name_of(interpolation);
    json["judge"] = judge;
    json["least_quality"] = least_quality ? nlohmann::ordered_json(*least_quality) : nlohmann::ordered_json();
    json["gates"] = gates;
    json["equal_sources"] = equal_sources;
    json["balance"] = balance;
    json["seed"] = seed;
    json["pictures"] = name_of(pictures);
    json["video_frames"] = name_of(video_frames);
    json["format"] = jpeg ? "jpg" : "png";
    if (jpeg) json["jpeg_quality"] = jpeg_quality;
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace liven::data

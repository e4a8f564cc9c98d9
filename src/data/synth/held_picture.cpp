#include "src/data/synth/held_picture.hpp"

namespace liven::data::synth {

HeldPicture::HeldPicture(const Pose& pose, int size)
    : pose_(pose),
      half_(static_cast<float>(size) / 2),
      cos_(std::cos(pose.turn * 0.0174533f)),
      sin_(std::sin(pose.turn * 0.0174533f)) {}

void HeldPicture::locate(int x, int y, float& s, float& t) const {
    const float u = (static_cast<float>(x) + 0.5f) / half_ - 1 - pose_.x,
                v = (static_cast<float>(y) + 0.5f) / half_ - 1 - pose_.y;
    const float a = (cos_ * u + sin_ * v) / pose_.reach, b = (-sin_ * u + cos_ * v) / pose_.reach;
    const float depth = 1 + pose_.tilt_x * a + pose_.tilt_y * b;
    s = a / depth;
    t = b / depth;
    // A bent sheet: the far parts turn away and look narrower, and its edges bow.
    const float bow = pose_.bend * s * s;
    s *= 1 + 0.35f * std::abs(pose_.bend) * s * s;
    t += 0.5f * bow;
}

}  // namespace liven::data::synth

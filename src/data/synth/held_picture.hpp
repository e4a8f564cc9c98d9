#pragma once

#include "src/data/synth/canvas.hpp"

namespace liven::data::synth {

/// A flat thing in front of the camera that shows a picture: where its corners are, and how a pixel finds its place on
/// it.
class HeldPicture {
public:
    /// `reach`: half the side of the shown picture over half the side of the camera's (1: they fill each other); `turn`
    /// degrees in the plane; `tilt` shortens one side (perspective); `bend` bulges it like a sheet.
    struct Pose {
        float reach = 1, x = 0, y = 0, turn = 0, tilt_x = 0, tilt_y = 0, bend = 0;
    };

    HeldPicture(const Pose& pose, int size);

    /// Place on the shown picture, -1..1 across it; beyond that lies its border.
    void locate(int x, int y, float& s, float& t) const;

private:
    Pose pose_;
    float half_, cos_, sin_;
};

}  // namespace liven::data::synth

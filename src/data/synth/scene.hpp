#pragma once

#include <cstdint>

#include "liven/core/philox.hpp"
#include "src/data/synth/vec3.hpp"

/// What is drawn before anything is painted: who, where, how. All of it follows from a key.
namespace liven::data::synth {

/// When a frame is taken: by itself, or `moving`, as one of a recording in which everything changes smoothly.
struct Moment {
    int frame = 0;
    bool moving = false;
};

/// Random numbers of a moment: new ones for every frame taken by itself, else on the way from one key pose to the next.
class MomentRandom {
public:
    MomentRandom(uint64_t video_key, const Moment& moment, uint64_t stream);
    float uniform(float low, float high);
    /// That of the nearest pose: for what happens or does not.
    float uniform();
    /// Of the frame alone.
    uint64_t bits64();

private:
    static constexpr int kPose = 8;  ///< frames from one key pose to the next

    bool moving_;
    float share_;  ///< of the way to the next pose
    Random from_, to_, frame_;
};

/// One person. Lengths in head units: the head is an ellipsoid of half height 1.
struct Subject {
    Vec3 skin, lips, hair, iris, head;
    float jaw = 0, chin = 0, cheek = 0, brow_ridge = 0;
    float nose_length = 0, nose_width = 0, nose_height = 0;
    float eye_spread = 0, eye_height = 0, eye_size = 0, eye_tilt = 0;
    float mouth_width = 0, lip_height = 0, mouth_height = 0;
    float brow_height = 0, brow_thickness = 0, brow_tilt = 0;
    float hairline = 0, hair_volume = 0, hair_curl = 0, ear = 0;
    bool bald = false, long_hair = false, fringe = false, glasses = false;
    float beard = 0, freckles = 0, wrinkles = 0, redness = 0;
    uint32_t skin_seed = 0;
};
Subject draw_subject(uint64_t key);

/// Light, place and framing of one video, changing a little from frame to frame.
struct Scene {
    Rotation pose;
    float scale = 0, x = 0, y = 0;  ///< the head's half height and centre, as shares of the picture's half side
    Vec3 light, light_colour, fill, fill_colour, ambient;
    Vec3 cloth;
    int cloth_pattern = 0;
    float smile = 0, open_mouth = 0, eyes_open = 1, gaze_x = 0, gaze_y = 0, raised_brows = 0;
    uint32_t background_seed = 0;
};
Scene draw_scene(uint64_t video_key, const Moment& moment);

/// What a camera does to light. The moment changes little but the noise.
struct Camera {
    float exposure = 0;  ///< mean of the finished picture that the automatic exposure aims at
    float contrast = 0;
    Vec3 cast;          ///< mean colour that the automatic white balance ends at
    float balance = 0;  ///< how far it gets there, 0 to 1
    float blur = 0;     ///< standard deviation in pixels of a 256-pixel picture
    float noise = 0, vignette = 0;
    int jpeg_quality = 95;
    uint64_t noise_key = 0;
};
Camera draw_camera(uint64_t video_key, const Moment& moment);

}  // namespace liven::data::synth

#pragma once

#include <cstdint>
#include <string_view>

#include "src/data/synth/canvas.hpp"
#include "src/data/synth/scene.hpp"

/// Attacks: a picture of the subject on paper or on a screen, held before the camera; or a mask worn.
namespace liven::data::synth {

enum class Attack : uint8_t { print, replay, mask };
std::string_view name_of(Attack attack);

/// The scene in front of the camera when somebody attacks as `subject`; `strength` (0 to 1) is how plainly it shows.
Canvas attack_scene(Attack attack, const Subject& subject, uint64_t video_key, const Moment& moment, float strength,
                    int size);

}  // namespace liven::data::synth

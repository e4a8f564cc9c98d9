#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "liven/data/image.hpp"
#include "liven/data/preprocess.hpp"

/// Random changes to training pictures, fresh in every epoch. What is drawn depends on a key alone, never on threads or
/// order.
namespace liven::data {

/// What is seen where a turned or moved picture ends: its last pixel again, its mirror image, or black.
enum class Fill : uint8_t { nearest, reflect, black };

/// Ranges are symmetric around "no change"; zero switches a part off.
struct Augmentation {
    float rotation = 0;  ///< degrees, each way
    float shift_x = 0;   ///< share of the width, each way
    float shift_y = 0;   ///< share of the height, each way
    float shear = 0;     ///< degrees, each way
    float zoom = 0;      ///< 0.15: scale between 0.85 and 1.15, for width and height apart (as Keras)
    float flip = 0;      ///< probability of a mirror image
    Fill fill = Fill::nearest;
    float brightness = 0;                         ///< 0.2: all values times 0.8 to 1.2
    float contrast = 0;                           ///< 0.2: distance from the picture's mean grey times 0.8 to 1.2
    float saturation = 0;                         ///< 0.3: distance of each pixel from its own grey times 0.7 to 1.3
    float noise = 0;                              ///< probability of Gaussian noise
    float noise_low = 0.01f, noise_high = 0.03f;  ///< its standard deviation as a share of full white
    float blur = 0;                               ///< probability of motion blur
    int blur_length = 5;                          ///< pixels along a random direction; odd, 3 to 31
    float chance = 1;                             ///< with which rotation, and each of the five below, happens at all
    float offset = 0;                             ///< 32: all values of 0..255 plus -32 to 32
    float gain = 0;                               ///< 0.5: then times 0.5 to 1.5
    float hsv_saturation = 0;                     ///< 0.2: saturation in HSV times 0.8 to 1.2
    float hue = 0;                                ///< degrees, each way
    float crop = 0;                               ///< each side loses up to this share, and the rest fills the frame
    float erase = 0;    ///< probability of one or two grey rectangles (80) of 1 to 3 % of the area each
    float cut_out = 0;  ///< probability of a black square of less than 9 % of the width

    bool operator==(const Augmentation&) const = default;
    bool active() const;
    /// Throws Error naming the field that cannot be.
    void validate() const;

    static Augmentation none() { return {}; }
    /// Kuznetsov et al. 2026, section 3.3. The fill of turned corners is not given there; mirrored here.
    static Augmentation paper_k();
    /// The margin-based method: shear 0.15 is in degrees, as the Keras option it names reads it.
    static Augmentation paper_m();
    /// Wagale and Agarkar: mirror images, brightness and contrast 20 %, Gaussian noise of 1 % in every picture.
    static Augmentation paper_w();
    /// The real-time method with spoof cues: rotation by 30 degrees each way. The fill of turned corners is not given
    /// there; the last pixel again here. (Its resize and centre crop to 224 are the preprocessing of a square face.)
    static Augmentation paper_a();
    /// LGSC (Feng et al. 2020) as its published code has it for OULU-NPU. Its cut-out of less than 20 pixels is here a
    /// share of the frame (20 of 224).
    static Augmentation lgsc();

    std::string to_json() const;
    /// Absent fields keep their defaults, unknown ones are refused. Throws Error naming the field.
    static Augmentation from_json(std::string_view text);
};

/// What was drawn for one picture.
struct Draw {
    float rotation = 0, shift_x = 0, shift_y = 0, shear = 0, zoom_x = 1, zoom_y = 1;
    bool flip = false;
    Fill fill = Fill::nearest;
    float brightness = 1, contrast = 1, saturation = 1;
    float noise = 0;       ///< standard deviation, 0: none
    int blur_length = 0;   ///< 0: none
    float blur_angle = 0;  ///< degrees
    uint64_t noise_key = 0;
    float offset = 0, gain = 1, hsv_saturation = 1, hue = 0;
    float crop_left = 0, crop_right = 0, crop_top = 0, crop_bottom = 0;  ///< shares of width and height
    /// A rectangle of one grey value; place and extent in shares of width and height. No width: none.
    struct Patch {
        float x = 0, y = 0, width = 0, height = 0;
        uint8_t value = 0;
    };
    std::array<Patch, 3> patches{};

    std::string to_json() const;
};

Draw draw(const Augmentation& augmentation, uint64_t key);

/// Random::mix(Random::mix(seed, epoch), sample), mixed once more with `repeat` above 0: the key of a training's
/// sample, by its place in the training set, in an epoch from 0. `repeat` counts how often it came before in the epoch,
/// which happens when classes are balanced.
uint64_t augmentation_key(uint64_t seed, int64_t epoch, int64_t sample, uint32_t repeat = 0);

/// The drawn change and the preprocessing's scaling in one go: a frame (width x height of `preprocess`) to floats.
/// Geometry is one warp, colour one matrix; order: offset, gain, HSV, patches, rounded to 8 bits; geometry, blur,
/// brightness, contrast, saturation, noise, clipped to 0..255 before scaling.
void augment(const Image& frame, const Draw& drawn, const Preprocess& preprocess, float* dst);
/// The same as a picture, to look at.
Image augment(const Image& image, const Draw& drawn);

}  // namespace liven::data

#pragma once

#include "src/data/synth/face_map.hpp"

namespace liven::data::synth {

/// Paints one point of the face map after another: shape first, then skin, brows, eyes, mouth, beard, glasses, mask,
/// hair. Features stand at (x, y), the sideways and upward parts of the direction from the head's centre.
class FacePainter {
public:
    FacePainter(const Subject& subject, const Scene& scene, const Mask& mask);
    FaceMap::Texel operator()(float u, float v) const;

private:
    using Texel = FaceMap::Texel;
    /// A point: direction (x, y), its distance `ax` from the middle line, longitude.
    struct Point {
        float x, y, ax, u;
        bool front;
    };

    float skull(const Point& p) const;
    float nose(const Point& p) const;
    float lips_rise(const Point& p) const;
    void skin(const Point& p, Texel& t) const;
    void brows(const Point& p, Texel& t) const;
    void eyes(const Point& p, Texel& t) const;
    void nostrils(const Point& p, Texel& t) const;
    void mouth(const Point& p, Texel& t) const;
    void beard(const Point& p, Texel& t) const;
    void glasses(const Point& p, Texel& t) const;
    void wear_mask(const Point& p, Texel& t) const;
    void hair(const Point& p, Texel& t) const;
    /// Upper and lower edge of the lips and the line between them at sideways distance ax; false beside the mouth.
    bool mouth_lines(float ax, float& top, float& seam_top, float& seam_bottom, float& bottom) const;
    /// Inside an eye's opening above 0; `dx`, `dy` from its centre.
    float eye_opening(const Point& p, float& dx, float& dy) const;

    const Subject& s_;
    Scene scene_;
    const Mask& mask_;
};

}  // namespace liven::data::synth

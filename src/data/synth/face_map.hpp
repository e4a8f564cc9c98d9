#pragma once

#include <cstdint>
#include <vector>

#include "src/data/synth/scene.hpp"
#include "src/data/synth/vec3.hpp"

namespace liven::data::synth {

/// A mask worn over the face; the strengths are 0 (cannot be seen) to 1.
struct Mask {
    bool worn = false;
    float flat = 0;        ///< how much of the skin's texture is lost
    float edge = 0;        ///< rim and step at the mask's border and its eye holes
    float shine = 0;       ///< waxy gloss; below 0: dull
    Vec3 tint{1, 1, 1};    ///< the paint misses the skin's tone
    Vec3 wearer{0, 0, 0};  ///< skin of the one who wears it: neck, ears and what the eye holes show
};

/// Everything about the head's surface, over longitude u and v = sine of latitude as seen from its centre: how far it
/// stands out, its colour, how it shines, how much sky it sees.
class FaceMap {
public:
    static constexpr float u_max = 2.3f;  ///< the back of the head is never seen

    struct Texel {
        float rise = 0;  ///< relative to the ellipsoid
        Vec3 colour;
        float shine = 0;  ///< strength of the highlight
        float soft = 1;   ///< how far light creeps under the surface
        float open = 1;   ///< ambient light that arrives
    };

    /// `detail` texels between the poles.
    FaceMap(const Subject& subject, const Scene& scene, const Mask& mask, int detail);

    Texel sample(float u, float v) const;
    float rise(float u, float v) const;
    /// d rise / du and d rise / dv.
    void slope(float u, float v, float& du, float& dv) const;
    /// The highest point.
    float top() const { return top_; }

private:
    void paint(const Subject& subject, const Scene& scene, const Mask& mask);
    void shade_hollows();
    struct Cell {
        int x, y;
        float tx, ty;
    };
    Cell cell(float u, float v) const;

    int width_, height_;
    std::vector<Texel> texels_;
    std::vector<float> rises_;
    float top_ = 0;
};

}  // namespace liven::data::synth

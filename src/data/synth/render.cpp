#include "src/data/synth/render.hpp"

#include <optional>

#include "src/data/synth/background.hpp"
#include "src/data/synth/noise.hpp"

namespace liven::data::synth {
namespace {

/// What a ray meets: where, facing where, made of what.
struct Hit {
    float distance = 0;
    Vec3 point, normal;
    FaceMap::Texel surface;
    bool head = false;
};

struct Ray {
    Vec3 from, along;
    Vec3 at(float t) const { return from + along * t; }
};

/// Entry and exit of a ray through the ellipsoid |p / radii| = 1 at the origin.
std::optional<std::pair<float, float>> pierce(const Ray& ray, Vec3 radii) {
    const Vec3 o = ray.from / radii, d = ray.along / radii;
    const float a = dot(d, d), b = dot(o, d), c = dot(o, o) - 1, root = b * b - a * c;
    if (root < 0) return {};
    const float s = std::sqrt(root);
    return std::pair{(-b - s) / a, (-b + s) / a};
}

constexpr float camera_distance = 6;

class Renderer {
public:
    Renderer(const Subject& subject, const Scene& scene, const Mask& mask, int size)
        : s_(subject),
          scene_(scene),
          mask_(mask),
          map_(subject, scene, mask, std::max(size, 48)),
          light_(scene.pose.back(scene.light)) {}

    std::optional<Vec3> colour(const Ray& ray) const {
        std::optional<Hit> best;
        const auto consider = [&](std::optional<Hit> hit) {
            if (hit && (!best || hit->distance < best->distance)) best = hit;
        };
        consider(head(ray));
        consider(ear(ray, -1));
        consider(ear(ray, 1));
        if (!best) {  // the rest lies behind these
            consider(neck(ray));
            consider(shoulders(ray));
            if (s_.long_hair) consider(hair_behind(ray));
        }
        if (!best) return {};
        return shade(*best, ray);
    }

private:
    Vec3 skin_of_wearer() const { return mask_.worn ? mask_.wearer : s_.skin; }

    /// Where a direction from the head's centre lies on the map.
    static void on_map(Vec3 q, float& rho, float& u, float& v) {
        rho = std::max(length(q), 1e-6f);
        u = fast_atan2(q.x, q.z);
        v = std::clamp(q.y / rho, -1.0f, 1.0f);
    }
    /// Height above the surface in units of the ellipsoid's radius.
    float above(Vec3 local) const {
        const Vec3 q = local / s_.head;
        // Well clear of the highest point the map need not be asked.
        const float clear = length(q) - 1 - map_.top();
        if (clear > 0.04f) return clear;
        float rho = 0, u = 0, v = 0;
        on_map(q, rho, u, v);
        return rho - 1 - map_.rise(u, v);
    }

    /// Steps towards the raised surface, in the head's own frame.
    std::optional<Hit> head(const Ray& world) const {
        const Ray ray{scene_.pose.back(world.from), scene_.pose.back(world.along)};
        const auto span = pierce(ray, s_.head * (1 + map_.top()));
        if (!span) return {};
        float t = span->first, height = above(ray.at(t));
        for (int i = 0; i < 28 && height > 0.002f; ++i) {
            t += 0.72f * height;
            if (t > span->second) return {};
            height = above(ray.at(t));
        }
        if (height > 0.02f) return {};
        const Vec3 p = ray.at(t), q = p / s_.head;
        float rho = 0, u = 0, v = 0, du = 0, dv = 0;
        on_map(q, rho, u, v);
        map_.slope(u, v, du, dv);
        // Gradient of rho - 1 - rise(u, v) by the chain rule.
        const Vec3 grad_rho = q / s_.head * (1 / rho);
        const float flat = std::max(q.x * q.x + q.z * q.z, 1e-4f);
        const Vec3 grad_u = Vec3{q.z, 0, -q.x} / s_.head * (1 / flat);
        const Vec3 grad_v = (Vec3{0, 1 / s_.head.y, 0} - grad_rho * v) * (1 / rho);
        Hit hit{t, world.at(t), scene_.pose(unit(grad_rho - grad_u * du - grad_v * dv)), map_.sample(u, v), true};
        return hit;
    }

    std::optional<Hit> ear(const Ray& world, float side) const {
        const Ray turned{scene_.pose.back(world.from), scene_.pose.back(world.along)};
        const Vec3 centre{side * (s_.head.x * 1.0f), 0.02f, -0.02f}, radii{0.095f, 0.21f * s_.ear, 0.13f * s_.ear};
        const Ray ray{turned.from - centre, turned.along};
        const auto span = pierce(ray, radii);
        if (!span) return {};
        const Vec3 p = ray.at(span->first), n = unit(p / radii / radii);
        FaceMap::Texel surface;
        const float shell = std::sqrt(sq(p.y / radii.y) + sq(p.z / radii.z));
        const float inner = hill((shell - 0.45f) / 0.4f, 0);
        surface.colour = skin_of_wearer() * Vec3{1.0f, 0.86f, 0.84f} * (1 - 0.5f * inner);
        surface.shine = 0.3f;
        surface.open = 0.75f - 0.35f * inner;
        return Hit{span->first, world.at(span->first), scene_.pose(n), surface};
    }

    std::optional<Hit> neck(const Ray& ray) const {
        // An upright elliptic cylinder, leaning back a little.
        const Vec3 radii{0.50f * s_.head.x / 0.75f, 1, 0.45f};
        const Ray shifted{ray.from - Vec3{0, 0, -0.16f}, ray.along};
        const float a = sq(shifted.along.x / radii.x) + sq(shifted.along.z / radii.z);
        const float b = shifted.from.x * shifted.along.x / sq(radii.x) + shifted.from.z * shifted.along.z / sq(radii.z);
        const float c = sq(shifted.from.x / radii.x) + sq(shifted.from.z / radii.z) - 1, root = b * b - a * c;
        if (root < 0) return {};
        const float t = (-b - std::sqrt(root)) / a;
        const Vec3 p = shifted.at(t);
        if (p.y > -0.35f || p.y < -2.2f) return {};
        FaceMap::Texel surface;
        const float grain = fractal(p.x * 12, p.y * 12, 4, s_.skin_seed + 91);
        surface.colour = skin_of_wearer() * (0.95f + 0.1f * grain);
        surface.shine = 0.2f;
        surface.open = 0.85f * smoothstep(-0.72f, -1.35f, p.y) + 0.15f;  // under the chin
        return Hit{t, ray.at(t), unit({p.x / sq(radii.x), 0, p.z / sq(radii.z)}), surface};
    }

    std::optional<Hit> shoulders(const Ray& ray) const {
        const Vec3 centre{0, -2.02f, -0.15f}, radii{1.8f, 0.80f, 0.62f};
        const Ray shifted{ray.from - centre, ray.along};
        const auto span = pierce(shifted, radii);
        if (!span) return {};
        const Vec3 p = shifted.at(span->first);
        FaceMap::Texel surface;
        const float fold = fractal(p.x * 3, p.y * 5, 3, scene_.background_seed + 5);
        float pattern = 1;
        if (scene_.cloth_pattern == 1) pattern = 0.75f + 0.35f * smoothstep(-0.2f, 0.2f, std::sin(p.y * 34));
        if (scene_.cloth_pattern == 2)
            pattern =
                0.8f + 0.3f * smoothstep(-0.2f, 0.2f, std::sin(p.x * 26)) * smoothstep(-0.2f, 0.2f, std::sin(p.y * 30));
        surface.colour = scene_.cloth * pattern * (1 + 0.2f * fold);
        surface.shine = 0.03f;
        surface.soft = 0.05f;
        surface.open = smoothstep(0.1f, 0.55f, std::abs(p.x) + 0.1f - (p.y - 0.6f));
        return Hit{span->first, ray.at(span->first), unit(p / radii / radii + Vec3{0.5f * fold, 0.3f * fold, 0}),
                   surface};
    }

    std::optional<Hit> hair_behind(const Ray& ray) const {
        const Vec3 centre{0, -0.35f, -0.38f}, radii{s_.head.x + 0.16f + s_.hair_volume, 1.32f, 0.5f};
        const Ray shifted{ray.from - centre, ray.along};
        const auto span = pierce(shifted, radii);
        if (!span) return {};
        const Vec3 p = shifted.at(span->first);
        FaceMap::Texel surface;
        const float wave = 0.12f * s_.hair_curl * noise(p.x * 3, p.y * 5, s_.skin_seed + 95);
        const float strands = fractal((p.x + wave) * 34, p.y * 3, 3, s_.skin_seed + 97);
        surface.colour = s_.hair * (0.85f + 0.8f * strands);
        surface.shine = 0.3f + 0.3f * strands;
        surface.soft = 0.1f;
        surface.open = 0.7f;
        return Hit{span->first, ray.at(span->first), unit(p / radii / radii + Vec3{0.5f * strands, 0, 0}), surface};
    }

    /// Share of the key light that passes the face itself: a nose throws a shadow.
    float lit(const Hit& hit) const {
        if (!hit.head) return 1;
        const Vec3 local = scene_.pose.back(hit.point);
        float shadow = 0;
        for (int i = 1; i <= 5; ++i) {
            const float reach = 0.055f * static_cast<float>(i);
            shadow = std::max(shadow, -(above(local + light_ * reach) - 0.006f) / (0.03f + 0.1f * reach));
        }
        return 1 - 0.85f * std::clamp(shadow, 0.0f, 1.0f);
    }

    Vec3 shade(const Hit& hit, const Ray& ray) const {
        const FaceMap::Texel& m = hit.surface;
        // Red light creeps further under skin than blue, which softens and warms the edge of a shadow.
        const Vec3 wrap = Vec3{0.34f, 0.17f, 0.11f} * m.soft;
        const auto diffuse = [&](Vec3 light) {
            const float n = dot(hit.normal, light);
            const auto one = [n](float w) { return std::max(0.0f, (n + w) / (1 + w)); };
            return Vec3{one(wrap.x), one(wrap.y), one(wrap.z)};
        };
        const auto highlight = [&](Vec3 light) {
            const Vec3 half = unit(light - ray.along);
            const float h = std::max(0.0f, dot(hit.normal, half));
            const float h4 = sq(sq(h)), h16 = sq(sq(h4));
            return (0.6f * h16 + 1.6f * sq(h16)) * std::max(0.0f, m.shine) * 0.16f *
                   smoothstep(-0.05f, 0.2f, dot(hit.normal, light));
        };
        const float open = std::clamp(m.open, 0.0f, 1.2f), direct = lit(hit) * (0.4f + 0.6f * std::min(open, 1.0f));
        const float sky = 0.75f + 0.25f * hit.normal.y;
        const Vec3 light = scene_.light_colour * diffuse(scene_.light) * direct +
                           scene_.fill_colour * diffuse(scene_.fill) + scene_.ambient * (sky * open);
        const float rim = 0.05f * std::pow(1 - std::clamp(-dot(hit.normal, ray.along), 0.0f, 1.0f), 4.0f) * m.shine;
        const Vec3 gloss = scene_.light_colour * (highlight(scene_.light) * direct) +
                           scene_.fill_colour * highlight(scene_.fill) + scene_.ambient * rim;
        return m.colour * light + gloss;
    }

    const Subject& s_;
    const Scene& scene_;
    const Mask& mask_;
    FaceMap map_;
    Vec3 light_;  ///< the key light in the head's frame
};

}  // namespace

Canvas render(const Subject& subject, const Scene& scene, const Mask& mask, int size) {
    Canvas canvas = background(size, scene.background_seed);
    const Renderer renderer(subject, scene, mask, size);
    for (int y = 0; y < size; ++y)
        for (int x = 0; x < size; ++x) {
            const float px =
                (2 * (static_cast<float>(x) + 0.5f) / static_cast<float>(size) - 1 - scene.x) / scene.scale;
            const float py =
                (1 - 2 * (static_cast<float>(y) + 0.5f) / static_cast<float>(size) + scene.y) / scene.scale;
            const Vec3 eye{0, 0, camera_distance};
            const Ray ray{eye, unit(Vec3{px, py, 0} - eye)};
            if (const auto colour = renderer.colour(ray)) set(canvas, x, y, *colour);
        }
    return canvas;
}

}  // namespace liven::data::synth

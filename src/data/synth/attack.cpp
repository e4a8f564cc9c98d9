#include "src/data/synth/attack.hpp"

#include <array>
#include <opencv2/imgproc.hpp>

#include "src/data/synth/background.hpp"
#include "src/data/synth/capture.hpp"
#include "src/data/synth/held_picture.hpp"
#include "src/data/synth/noise.hpp"
#include "src/data/synth/render.hpp"

namespace liven::data::synth {
namespace {

constexpr uint64_t stolen = 0x73746f6cu, paper_stream = 11, screen_stream = 12, mask_stream = 13;

float linear(uint8_t value) {
    static const std::array<float, 256> table = [] {
        std::array<float, 256> t{};
        for (size_t i = 0; i < t.size(); ++i) {
            const float v = static_cast<float>(i) / 255;
            t[i] = v < 0.04045f ? v / 12.92f : std::pow((v + 0.055f) / 1.055f, 2.4f);
        }
        return t;
    }();
    return table[value];
}

/// The picture the attacker has: a bona fide one, taken elsewhere with another camera.
Canvas stolen_picture(const Subject& subject, uint64_t video_key, const Moment& moment, int size) {
    const uint64_t key = Random::mix(video_key, stolen);
    Camera camera = draw_camera(key, moment);
    camera.exposure = 0.46f + 0.3f * (camera.exposure - 0.44f);  // one chooses a good one
    camera.noise *= 0.5f;
    const Image image = capture(render(subject, draw_scene(key, moment), {}, size), camera);
    Canvas canvas(size, size);
    for (int y = 0; y < size; ++y)
        for (int x = 0; x < size; ++x) {
            const uint8_t* p = image.at(x, y);
            set(canvas, x, y, {linear(p[0]), linear(p[1]), linear(p[2])});
        }
    return canvas;
}

HeldPicture::Pose held(Random& video, MomentRandom& now, float bend) {
    HeldPicture::Pose p;
    p.reach = video.uniform(0.80f, 1.45f) * now.uniform(0.98f, 1.02f);
    p.x = video.uniform(-0.08f, 0.08f) + now.uniform(-0.03f, 0.03f);
    p.y = video.uniform(-0.08f, 0.08f) + now.uniform(-0.03f, 0.03f);
    p.turn = video.uniform(-7, 7) + now.uniform(-1.5f, 1.5f);
    p.tilt_x = video.uniform(-0.14f, 0.14f) + now.uniform(-0.02f, 0.02f);
    p.tilt_y = video.uniform(-0.12f, 0.12f) + now.uniform(-0.02f, 0.02f);
    p.bend = bend;
    return p;
}

Vec3 shown(const Canvas& picture, float s, float t) {
    const float half = static_cast<float>(picture.cols) / 2;
    return sample(picture, (s + 1) * half - 0.5f, (t + 1) * half - 0.5f);
}

/// Paper: inks instead of light, dots, fibres, a white border, a bend.
class Print {
public:
    Print(const Subject& subject, uint64_t key, const Moment& moment, float strength, int size)
        : picture_(
              stolen_picture(subject, key, moment.moving ? Moment{} : moment, size)),  // what is printed stands still
          behind_(background(size, Random(key, paper_stream + 20).bits())),
          size_(size) {
        Random video(key, paper_stream);
        MomentRandom now(key, moment, paper_stream);
        const float bend = (0.05f + 0.25f * strength) * video.uniform(-1, 1) + now.uniform(-0.02f, 0.02f);
        pose_ = held(video, now, bend);
        border_ = video.uniform(0.02f, 0.14f);
        period_ =
            std::max(2.2f, video.uniform(2.5f, 4.4f) * static_cast<float>(size) / 256) / (static_cast<float>(size) / 2);
        dots_ = strength * video.uniform(0.45f, 0.8f);
        saturation_ = 1 - strength * video.uniform(0.25f, 0.5f);
        black_ = 0.02f + 0.07f * strength * video.uniform(0.5f, 1);
        fibre_ = 0.02f + 0.06f * strength;
        grain_seed_ = video.bits();
        light_slope_ = {video.uniform(-0.25f, 0.25f), video.uniform(-0.25f, 0.25f), 0};
        const float warm = video.uniform(-1, 1);
        light_ = Vec3{1 + 0.15f * warm, 1, 1 - 0.2f * warm};
        gloss_ = video.uniform() < 0.4f ? strength * video.uniform(0.05f, 0.25f) : 0;
        gloss_at_ = {video.uniform(-1, 1), video.uniform(-1, 1), video.uniform(0.2f, 0.6f)};
        for (size_t i = 0; i < 3; ++i) angle_[i] = (std::array{15.0f, 75.0f, 0.0f}[i] + pose_.turn) * 0.0174533f;
    }

    Canvas operator()() const {
        Canvas out = behind_;
        const HeldPicture sheet(pose_, size_);
        const float edge = 1 + border_;
        for (int y = 0; y < size_; ++y)
            for (int x = 0; x < size_; ++x) {
                float s = 0, t = 0;
                sheet.locate(x, y, s, t);
                const float beyond = std::max(std::abs(s), std::abs(t));
                if (beyond > edge) {
                    // The sheet's shadow on what lies behind.
                    out(y, x) *= 0.55f + 0.45f * smoothstep(0.0f, 0.12f, beyond - edge);
                    continue;
                }
                set(out, x, y, lit(beyond > 1 ? Vec3{0.86f, 0.86f, 0.85f} : inked(shown(picture_, s, t), s, t), s, t));
            }
        return out;
    }

private:
    /// Reflectance of the print where the original has `colour`.
    Vec3 inked(Vec3 colour, float s, float t) const {
        const float grey = luma(colour);
        colour = mix(Vec3{grey, grey, grey}, colour, saturation_);
        colour = Vec3{black_, black_, black_} + colour * (0.86f - black_);
        const auto dotted = [&](float reflect, size_t ink) {
            // The screen function of Holladay's dots: ink where the wave is above the share of paper to be left.
            const float a = std::cos(angle_[ink]), b = std::sin(angle_[ink]), w = 6.2831853f / period_;
            const float wave = 0.5f + 0.25f * (std::cos(w * (a * s + b * t)) + std::cos(w * (-b * s + a * t)));
            const float cover = std::sqrt(std::clamp(1 - reflect / 0.88f, 0.0f, 1.0f));
            const float ink_here = smoothstep(-0.30f, 0.30f, cover - wave);
            return mix(reflect, mix(0.88f, black_, ink_here), dots_);
        };
        return {dotted(colour.x, 0), dotted(colour.y, 1), dotted(colour.z, 2)};
    }
    Vec3 lit(Vec3 reflect, float s, float t) const {
        const float fibres = 1 + fibre_ * fractal(s * 70, t * 70, 3, grain_seed_) +
                             0.5f * fibre_ * fractal(s * 9, t * 9, 2, grain_seed_ + 3);
        const float turned = 1 + 1.6f * pose_.bend * s;  // the bent half faces the light more or less
        const float fall = 1 + light_slope_.x * s + light_slope_.y * t;
        const float sheen = gloss_ * std::exp(-(sq(s - gloss_at_.x) + sq(t - gloss_at_.y)) / (2 * sq(gloss_at_.z)));
        return light_ * (reflect * (fibres * std::max(0.2f, turned * fall)) + Vec3{sheen, sheen, sheen});
    }

    Canvas picture_, behind_;
    int size_;
    HeldPicture::Pose pose_;
    float border_ = 0, period_ = 1, dots_ = 0, saturation_ = 1, black_ = 0, fibre_ = 0, gloss_ = 0;
    uint32_t grain_seed_ = 0;
    Vec3 light_slope_, light_, gloss_at_;
    std::array<float, 3> angle_{};
};

/// A screen: stripes of red, green and blue that beat with the camera's own grid, a black that glows, a glare, a bezel.
class Replay {
public:
    Replay(const Subject& subject, uint64_t key, const Moment& moment, float strength, int size)
        : picture_(stolen_picture(subject, key, moment, size)),
          behind_(background(size, Random(key, screen_stream + 20).bits())),
          size_(size) {
        Random video(key, screen_stream);
        MomentRandom now(key, moment, screen_stream);
        pose_ = held(video, now, 0);
        bezel_ = video.uniform(0.03f, 0.12f);
        const float paint = video.uniform() < 0.7f ? video.uniform(0.008f, 0.04f) : video.uniform(0.3f, 0.7f);
        bezel_colour_ = {paint, paint, paint};
        const float half = static_cast<float>(size) / 2;
        pitch_ = video.uniform(1.7f, 3.1f) / half;
        grid_ = strength * video.uniform(0.45f, 0.85f);
        glow_ = 0.01f + 0.05f * strength * video.uniform(0.4f, 1);
        beat_ = strength * video.uniform(0.06f, 0.17f);
        beat_period_ = video.uniform(9, 34) / half;
        beat_angle_ = video.uniform(0, 3.14159f);
        beat_curve_ = video.uniform(-0.35f, 0.35f);
        phase_ = now.uniform(0, 6.2831853f);
        band_ = strength * video.uniform(0, 0.10f);
        band_period_ = video.uniform(0.5f, 1.6f);
        tint_ = {video.uniform(0.85f, 1.05f), 1, video.uniform(0.98f, 1.25f)};
        glare_ = video.uniform() < 0.65f ? (0.15f + 0.85f * strength) * video.uniform(0.08f, 0.5f) : 0;
        glare_at_ = {video.uniform(-0.8f, 0.8f) + now.uniform(-0.05f, 0.05f),
                     video.uniform(-0.8f, 0.8f) + now.uniform(-0.05f, 0.05f), 0};
        glare_size_ = {video.uniform(0.08f, 0.3f), video.uniform(0.15f, 0.6f), video.uniform(-0.8f, 0.8f)};
        window_ = video.uniform() < 0.4f;
    }

    Canvas operator()() const {
        Canvas out = behind_;
        const HeldPicture screen(pose_, size_);
        const float edge = 1 + bezel_;
        for (int y = 0; y < size_; ++y)
            for (int x = 0; x < size_; ++x) {
                float s = 0, t = 0;
                screen.locate(x, y, s, t);
                const float beyond = std::max(std::abs(s), std::abs(t));
                if (beyond > edge) continue;
                const float shine = glare(s, t);
                const Vec3 own = beyond > 1 ? bezel_colour_ : glowing(shown(picture_, s, t), s, t);
                set(out, x, y, own + Vec3{shine, shine, shine} * (beyond > 1 ? 0.3f : 1.0f));
            }
        return out;
    }

private:
    Vec3 glowing(Vec3 colour, float s, float t) const {
        const float across = s / pitch_, down = t / pitch_;
        const auto stripe = [&](float offset) {
            const float wave = 0.5f + 0.5f * std::cos(6.2831853f * (across - offset));
            return 1 + grid_ * (wave * 1.5f - 0.75f);
        };
        const float rows = 1 - 0.45f * grid_ * smoothstep(0.6f, 1.0f, std::cos(6.2831853f * down));
        // The beat of the two grids, each colour with its own phase.
        const float a = std::cos(beat_angle_), b = std::sin(beat_angle_);
        const float along = (a * s + b * t + beat_curve_ * sq(b * s - a * t)) * 6.2831853f / beat_period_ + phase_;
        const auto beat = [&](float offset) { return 1 + beat_ * std::sin(along + offset); };
        const float band = 1 + band_ * std::sin(6.2831853f * t / band_period_ + phase_);
        const Vec3 light =
            Vec3{stripe(0) * beat(0), stripe(0.333f) * beat(2.1f), stripe(0.667f) * beat(4.2f)} * (rows * band);
        return (colour * tint_ + Vec3{glow_, glow_, 1.15f * glow_}) * light;
    }
    float glare(float s, float t) const {
        if (glare_ <= 0) return 0;
        const float c = std::cos(glare_size_.z), d = std::sin(glare_size_.z);
        const float u = (c * (s - glare_at_.x) + d * (t - glare_at_.y)) / glare_size_.x,
                    v = (-d * (s - glare_at_.x) + c * (t - glare_at_.y)) / glare_size_.y;
        if (window_)
            return glare_ * smoothstep(1.1f, 0.9f, std::abs(u)) * smoothstep(1.1f, 0.9f, std::abs(v)) *
                   (std::abs(v) < 0.04f ? 0.4f : 1.0f);
        return 1.3f * glare_ * std::exp(-0.5f * (u * u + v * v));
    }

    Canvas picture_, behind_;
    int size_;
    HeldPicture::Pose pose_;
    float bezel_ = 0, pitch_ = 1, grid_ = 0, glow_ = 0, beat_ = 0, beat_period_ = 1, beat_angle_ = 0, beat_curve_ = 0,
          phase_ = 0, band_ = 0, band_period_ = 1;
    float glare_ = 0;
    bool window_ = false;
    Vec3 bezel_colour_, tint_, glare_at_, glare_size_;
};

Canvas masked(const Subject& subject, uint64_t key, const Moment& moment, float strength, int size) {
    Random video(key, mask_stream);
    Mask mask;
    mask.worn = true;
    mask.flat = 0.55f + 0.45f * strength;
    mask.edge = 0.3f + 0.7f * strength * video.uniform(0.7f, 1);
    mask.shine = video.uniform() < 0.6f ? video.uniform(0.2f, 1.0f) : -0.5f;
    const float off = 0.08f + 0.16f * strength;
    mask.tint = {1 + video.uniform(-off, off), 1 + video.uniform(-off, off), 1 + video.uniform(-off, off)};
    Subject wearer = draw_subject(video.bits64());
    mask.wearer = mix(subject.skin, wearer.skin, 0.3f + 0.6f * strength);
    return render(subject, draw_scene(key, moment), mask, size);
}

}  // namespace

std::string_view name_of(Attack attack) {
    switch (attack) {
        case Attack::print:
            return "print";
        case Attack::replay:
            return "replay";
        case Attack::mask:
            return "mask";
    }
    return "?";
}

Canvas attack_scene(Attack attack, const Subject& subject, uint64_t video_key, const Moment& moment, float strength,
                    int size) {
    switch (attack) {
        case Attack::print:
            return Print(subject, video_key, moment, strength, size)();
        case Attack::replay:
            return Replay(subject, video_key, moment, strength, size)();
        case Attack::mask:
            break;
    }
    return masked(subject, video_key, moment, strength, size);
}

}  // namespace liven::data::synth

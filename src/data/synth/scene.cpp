#include "src/data/synth/scene.hpp"

#include <array>

namespace liven::data::synth {
namespace {

/// Streams of the generator, so that adding a draw to one leaves the others alone.
enum Stream : uint64_t { person = 1, place = 2, instant = 3, lens = 4, shot = 5 };

bool chance(Random& random, float probability) { return random.uniform() < probability; }

/// From dark (1) to light (0) skin, linear light.
Vec3 skin_colour(float melanin, float redness) {
    constexpr Vec3 light{0.66f, 0.42f, 0.31f}, middle{0.42f, 0.24f, 0.15f}, dark{0.16f, 0.085f, 0.05f};
    const Vec3 base = melanin < 0.5f ? mix(light, middle, 2 * melanin) : mix(middle, dark, 2 * melanin - 1);
    return base * Vec3{1 + 0.08f * redness, 1 - 0.06f * redness, 1 - 0.05f * redness};
}

Vec3 hair_colour(Random& random) {
    constexpr std::array<Vec3, 6> colours{{{0.012f, 0.010f, 0.010f},
                                           {0.035f, 0.020f, 0.012f},
                                           {0.09f, 0.05f, 0.025f},
                                           {0.33f, 0.22f, 0.10f},
                                           {0.20f, 0.07f, 0.025f},
                                           {0.30f, 0.29f, 0.28f}}};
    return colours[random.below(colours.size())] * random.uniform(0.75f, 1.3f);
}

Vec3 iris_colour(Random& random) {
    constexpr std::array<Vec3, 4> colours{
        {{0.06f, 0.03f, 0.015f}, {0.12f, 0.07f, 0.03f}, {0.10f, 0.17f, 0.22f}, {0.11f, 0.14f, 0.07f}}};
    return colours[random.below(colours.size())] * random.uniform(0.8f, 1.2f);
}

/// A light from warm to cold.
Vec3 light_colour(float warmth) { return {1 + 0.22f * warmth, 1, 1 - 0.30f * warmth}; }

uint64_t key_of(uint64_t video_key, const Moment& m, int pose, int poses_apart) {
    // Poses are counted far behind the frames, so that no frame and no pose share their numbers.
    const auto place_in_time = m.moving ? 1'000'000 + m.frame / poses_apart + pose : m.frame;
    return Random::mix(video_key, static_cast<uint64_t>(place_in_time));
}

}  // namespace

MomentRandom::MomentRandom(uint64_t video_key, const Moment& m, uint64_t stream)
    : moving_(m.moving),
      share_(m.moving ? smoothstep(0.0f, 1.0f, static_cast<float>(m.frame % kPose) / kPose) : 0),
      from_(key_of(video_key, m, 0, kPose), stream),
      to_(key_of(video_key, m, 1, kPose), stream),
      frame_(Random::mix(video_key, static_cast<uint64_t>(m.frame)), stream) {}

float MomentRandom::uniform(float low, float high) {
    const float a = from_.uniform(low, high);
    return moving_ ? mix(a, to_.uniform(low, high), share_) : a;
}

float MomentRandom::uniform() {
    const float a = from_.uniform(), b = moving_ ? to_.uniform() : a;
    return share_ < 0.5f ? a : b;
}

uint64_t MomentRandom::bits64() { return moving_ ? frame_.bits64() : from_.bits64(); }

Subject draw_subject(uint64_t key) {
    Random r(key, person);
    Subject s;
    s.redness = r.uniform(-1, 1);
    s.skin = skin_colour(r.uniform(), s.redness);
    s.lips = s.skin * Vec3{r.uniform(0.80f, 1.05f), r.uniform(0.45f, 0.65f), r.uniform(0.50f, 0.75f)};
    s.hair = hair_colour(r);
    s.iris = iris_colour(r);
    s.head = {r.uniform(0.70f, 0.80f), 1, r.uniform(0.82f, 0.94f)};
    s.jaw = r.uniform(0.04f, 0.20f);
    s.chin = r.uniform(0.0f, 0.05f);
    s.cheek = r.uniform(0.015f, 0.05f);
    s.brow_ridge = r.uniform(0.01f, 0.035f);
    s.nose_length = r.uniform(0.30f, 0.40f);
    s.nose_width = r.uniform(0.075f, 0.12f);
    s.nose_height = r.uniform(0.13f, 0.22f);
    s.eye_spread = r.uniform(0.36f, 0.43f);
    s.eye_height = r.uniform(0.09f, 0.15f);
    s.eye_size = r.uniform(0.15f, 0.19f);
    s.eye_tilt = r.uniform(-0.10f, 0.16f);
    s.mouth_width = r.uniform(0.21f, 0.30f);
    s.lip_height = r.uniform(0.055f, 0.10f);
    s.mouth_height = r.uniform(-0.51f, -0.45f);
    s.brow_height = r.uniform(0.155f, 0.20f);
    s.brow_thickness = r.uniform(0.022f, 0.048f);
    s.brow_tilt = r.uniform(-0.08f, 0.18f);
    s.hairline = r.uniform(0.58f, 0.74f);
    s.hair_volume = r.uniform(0.05f, 0.15f);
    s.hair_curl = r.uniform();
    s.ear = r.uniform(0.8f, 1.15f);
    s.bald = chance(r, 0.1f);
    s.long_hair = !s.bald && chance(r, 0.42f);
    s.fringe = !s.bald && chance(r, 0.25f);
    s.glasses = chance(r, 0.18f);
    s.beard = s.long_hair ? 0 : std::max(0.0f, r.uniform(-0.9f, 1.0f));
    s.freckles = std::max(0.0f, r.uniform(-0.6f, 1.0f));
    s.wrinkles = r.uniform();
    s.skin_seed = r.bits();
    return s;
}

Scene draw_scene(uint64_t video_key, const Moment& moment) {
    Random video(video_key, place);
    MomentRandom now(video_key, moment, instant);
    Scene s;
    const float yaw = video.uniform(-0.32f, 0.32f) + now.uniform(-0.14f, 0.14f);
    const float pitch = video.uniform(-0.14f, 0.14f) + now.uniform(-0.08f, 0.08f);
    const float roll = video.uniform(-0.10f, 0.10f) + now.uniform(-0.05f, 0.05f);
    s.pose = Rotation(yaw, pitch, roll);
    s.scale = video.uniform(0.56f, 0.74f) * now.uniform(0.97f, 1.03f);
    s.x = video.uniform(-0.10f, 0.10f) + now.uniform(-0.04f, 0.04f);
    s.y = video.uniform(-0.08f, 0.10f) + now.uniform(-0.03f, 0.03f);
    const float azimuth = video.uniform(-1.2f, 1.2f) + now.uniform(-0.05f, 0.05f), height = video.uniform(0.0f, 0.9f);
    s.light = unit({std::sin(azimuth), height, std::cos(azimuth)});
    const float warmth = video.uniform(-1, 1);
    s.light_colour = light_colour(warmth) * video.uniform(0.8f, 1.5f);
    s.fill = unit({-s.light.x + video.uniform(-0.4f, 0.4f), video.uniform(-0.2f, 0.5f), 0.6f});
    s.fill_colour = light_colour(-0.6f * warmth + video.uniform(-0.3f, 0.3f)) * video.uniform(0.05f, 0.45f);
    s.ambient = light_colour(video.uniform(-0.6f, 0.6f)) * video.uniform(0.12f, 0.45f);
    const float grey = sq(video.uniform(0.1f, 0.85f));
    s.cloth = Vec3{video.uniform(0.5f, 1.3f), video.uniform(0.5f, 1.3f), video.uniform(0.5f, 1.3f)} * grey;
    s.cloth_pattern = static_cast<int>(video.below(4));
    s.background_seed = video.bits();
    s.smile = std::clamp(video.uniform(-0.5f, 0.9f) + now.uniform(-0.3f, 0.3f), -0.25f, 1.0f);
    s.open_mouth = std::max(0.0f, now.uniform(-1.2f, 0.8f));
    s.eyes_open = now.uniform() < 0.08f ? 0.12f : now.uniform(0.72f, 1.1f);
    s.gaze_x = now.uniform(-0.35f, 0.35f);
    s.gaze_y = now.uniform(-0.2f, 0.2f);
    s.raised_brows = now.uniform(-0.2f, 0.6f);
    return s;
}

Camera draw_camera(uint64_t video_key, const Moment& moment) {
    Random video(video_key, lens);
    MomentRandom now(video_key, moment, shot);
    Camera c;
    c.exposure = video.uniform(0.36f, 0.62f) + now.uniform(-0.02f, 0.02f);
    c.contrast = video.uniform(0.85f, 1.2f);
    c.cast = {video.uniform(0.82f, 1.22f), 1, video.uniform(0.80f, 1.22f)};
    c.balance = video.uniform(0.7f, 0.95f);
    c.blur = video.uniform(0.35f, 0.95f);
    c.noise = video.uniform(0.004f, 0.022f);
    c.vignette = video.uniform(0, 0.3f);
    c.jpeg_quality = 86 + static_cast<int>(video.below(12));
    c.noise_key = now.bits64();
    return c;
}

}  // namespace liven::data::synth

#include "src/data/synth/face_painter.hpp"

#include "src/data/synth/noise.hpp"

namespace liven::data::synth {

FacePainter::FacePainter(const Subject& subject, const Scene& scene, const Mask& mask)
    : s_(subject), scene_(scene), mask_(mask) {
    if (!mask.worn) return;
    // A mask does not smile, speak or raise its brows.
    scene_.smile = 0;
    scene_.open_mouth = 0;
    scene_.raised_brows = 0;
}

FaceMap::Texel FacePainter::operator()(float u, float v) const {
    const float c = std::sqrt(std::max(0.0f, 1 - v * v));
    const Point p{std::sin(u) * c, v, std::abs(std::sin(u) * c), u, std::cos(u) > 0};
    Texel t;
    t.rise = skull(p);
    skin(p, t);
    if (p.front) {
        t.rise += nose(p) + lips_rise(p);
        nostrils(p, t);
        beard(p, t);
        mouth(p, t);
        brows(p, t);
        if (mask_.worn) wear_mask(p, t);
        eyes(p, t);
        if (s_.glasses && !mask_.worn) glasses(p, t);
    }
    if (!s_.bald) hair(p, t);
    return t;
}

float FacePainter::skull(const Point& p) const {
    float rise = 0;
    const float down = std::max(0.0f, -p.y - 0.05f) / 0.95f;
    rise -= s_.jaw * down * down * p.ax * p.ax * 2.2f;                              // the jaw narrows towards the chin
    rise -= 0.05f * smoothstep(0.35f, 0.9f, p.ax) * smoothstep(-0.2f, 0.35f, p.y);  // temples
    if (!p.front) return rise;
    const float ex = p.ax - s_.eye_spread, ey = p.y - s_.eye_height;
    rise += s_.chin * hill(p.x / 0.26f, (p.y + 0.84f) / 0.2f);
    rise += s_.cheek * hill((p.ax - 0.47f) / 0.28f, (p.y + 0.08f - 0.05f * scene_.smile) / 0.26f) *
            (1 + 0.7f * std::max(0.0f, scene_.smile));
    rise += s_.brow_ridge * hill(p.ax / 0.75f, (p.y - s_.eye_height - 0.17f) / 0.13f);
    rise -= 0.075f * hill(ex / 0.23f, ey / 0.16f);                                // sockets
    rise += 0.045f * hill(ex / 0.16f, ey / 0.12f);                                // eyeballs under the lids
    rise += 0.03f * hill(p.x / 0.38f, (p.y - s_.mouth_height) / 0.22f);           // the teeth push the mouth out
    rise -= 0.018f * hill(p.x / 0.06f, (p.y - s_.mouth_height - 0.13f) / 0.07f);  // groove under the nose
    rise -= 0.02f * hill(p.x / 0.2f, (p.y - s_.mouth_height + 0.15f) / 0.07f);    // hollow above the chin
    // Folds from nose to mouth, deeper with age and smile.
    const float fold = p.ax - 0.15f - 0.38f * std::max(0.0f, -0.16f - p.y);
    rise -= (0.012f * s_.wrinkles + 0.014f * std::max(0.0f, scene_.smile)) * hill(fold / 0.055f, (p.y + 0.33f) / 0.2f);
    return rise;
}

float FacePainter::nose(const Point& p) const {
    const float root = s_.eye_height + 0.06f, tip = root - s_.nose_length;
    const float along = (root - p.y) / s_.nose_length;  // 0 at the root, 1 at the tip
    if (along < -0.3f || along > 1.35f || p.ax > 0.3f) return 0;
    const float profile = along < 1 ? mix(0.28f, 1.0f, smoothstep(-0.25f, 1.0f, along)) * smoothstep(-0.3f, 0.1f, along)
                                    : 1 - smoothstep(1.0f, 1.28f, along);
    const float half = s_.nose_width * mix(0.75f, 1.25f, std::clamp(along, 0.0f, 1.0f));
    const float across = p.ax / (1.35f * half);
    const float ridge = s_.nose_height * profile / (1 + sq(across) * (1 + 2 * sq(across)));
    const float fade = smoothstep(0.3f, 0.2f, p.ax);
    const float wings = 0.055f * hill((p.ax - s_.nose_width * 1.15f) / 0.065f, (p.y - tip - 0.005f) / 0.06f);
    return ridge * fade + wings;
}

bool FacePainter::mouth_lines(float ax, float& top, float& seam_top, float& seam_bottom, float& bottom) const {
    const float half = s_.mouth_width * (1 + 0.16f * scene_.smile);
    const float t = ax / half;
    if (t >= 1) return false;
    const float middle = s_.mouth_height + 0.06f * scene_.smile * t * t;
    const float body = std::sqrt(1 - t * t);
    const float bow = 1 - 0.22f * hill(ax / (0.25f * half), 0.0f);
    const float gap = (0.06f * scene_.open_mouth + 0.018f * std::max(0.0f, scene_.smile - 0.45f)) * (1 - t * t);
    seam_top = middle + 0.5f * gap;
    seam_bottom = middle - gap;
    top = seam_top + s_.lip_height * 0.85f * body * bow;
    bottom = seam_bottom - s_.lip_height * 1.1f * (1 - t * t);
    return true;
}

float FacePainter::lips_rise(const Point& p) const {
    float top = 0, seam_top = 0, seam_bottom = 0, bottom = 0;
    if (!mouth_lines(p.ax, top, seam_top, seam_bottom, bottom)) return 0;
    const float upper = hill(0, (p.y - 0.5f * (top + seam_top)) / std::max(0.6f * (top - seam_top), 0.01f));
    const float lower =
        hill(0, (p.y - 0.5f * (bottom + seam_bottom)) / std::max(0.65f * (seam_bottom - bottom), 0.01f));
    return 0.012f * upper + 0.017f * lower - 0.012f * hill(0, (p.y - 0.5f * (seam_top + seam_bottom)) / 0.02f);
}

void FacePainter::skin(const Point& p, Texel& t) const {
    const float nx = p.u * 1.1f, ny = p.y * 1.2f;
    const float broad = fractal(nx * 3, ny * 3, 2, s_.skin_seed);
    const float middle = fractal(nx * 11, ny * 11, 2, s_.skin_seed + 7);
    const float pores = fractal(nx * 58, ny * 58, 2, s_.skin_seed + 13);
    // Blood shows on cheeks, nose and chin.
    const float blood = p.front ? 0.55f * hill((p.ax - 0.42f) / 0.32f, (p.y + 0.12f) / 0.3f) +
                                      0.5f * hill(p.x / 0.16f, (p.y + 0.14f) / 0.16f) +
                                      0.2f * hill(p.x / 0.25f, (p.y + 0.8f) / 0.2f)
                                : 0;
    const float red = 0.10f * blood * (1 + 0.5f * s_.redness) + 0.05f * broad + 0.05f * middle;
    t.colour =
        s_.skin * Vec3{1 + 0.25f * red, 1 - red, 1 - 0.9f * red} * (1 + 0.10f * broad + 0.09f * middle + 0.10f * pores);
    const float spot = noise(nx * 34, ny * 34, s_.skin_seed + 23);
    if (spot > 0.72f && p.front)
        t.colour = mix(t.colour, t.colour * Vec3{0.72f, 0.55f, 0.45f}, s_.freckles * (spot - 0.72f) * 3.0f);
    t.rise += 0.0022f * pores + 0.003f * middle;
    // Lines on the forehead and beside the eyes.
    const float line = std::sin(p.y * 62 + 2 * broad) * hill(p.x / 0.5f, (p.y - 0.48f) / 0.16f) *
                       (0.4f + std::max(0.0f, scene_.raised_brows));
    t.rise += 0.0028f * s_.wrinkles * line;
    const float oily = hill(p.x / 0.4f, (p.y - 0.4f) / 0.3f) + hill(p.x / 0.14f, (p.y + 0.05f) / 0.3f);
    t.shine = 0.30f + 0.25f * oily + 0.30f * pores + 0.15f * middle;
    t.soft = 1;
}

void FacePainter::brows(const Point& p, Texel& t) const {
    const float dx = p.ax - s_.eye_spread;
    const float span = dx / 0.21f;
    if (span < -1.05f || span > 1.1f) return;
    const float centre = s_.eye_height + s_.brow_height + 0.02f * scene_.raised_brows + s_.brow_tilt * dx -
                         0.05f * span * span * (span > 0 ? 1.2f : 0.3f);
    const float half = s_.brow_thickness * (1 - 0.55f * std::max(0.0f, span)) * (1 - sq(sq(span / 1.1f)));
    if (half <= 0) return;
    const float hairs = noise(p.x * 55 + p.y * 60, p.y * 28 - p.x * 14, s_.skin_seed + 31);
    const float cover =
        smoothstep(1.25f, 0.45f, std::abs(p.y - centre) / half) * std::clamp(0.72f + 0.5f * hairs, 0.0f, 1.0f);
    t.colour = mix(t.colour, s_.hair * 0.8f, 0.9f * cover);
    t.rise += 0.006f * cover;
    t.shine *= 1 - 0.7f * cover;
}

float FacePainter::eye_opening(const Point& p, float& dx, float& dy) const {
    const float side = p.x < 0 ? -1.0f : 1.0f;
    dx = p.ax - s_.eye_spread;
    dy = p.y - s_.eye_height - s_.eye_tilt * dx;
    const float w = s_.eye_size, t = dx / w;
    if (std::abs(t) >= 1) return -1;
    const float arch = 1 - t * t;
    const float upper = 0.40f * w * scene_.eyes_open * arch * (1 + 0.25f * t),
                lower = -0.24f * w * arch * std::min(scene_.eyes_open + 0.3f, 1.0f);
    dx *= side;
    return std::min(upper - dy, dy - lower);
}

void FacePainter::eyes(const Point& p, Texel& t) const {
    float dx = 0, dy = 0;
    const float inside = eye_opening(p, dx, dy);
    const float w = s_.eye_size;
    const float adx = std::abs(p.ax - s_.eye_spread);
    // The crease above the lid and the shadow of the lashes.
    if (inside < 0 && adx < 1.15f * w) {
        const float t1 = adx / (1.15f * w);
        const float lid = 0.40f * w * scene_.eyes_open * (1 - t1 * t1);
        t.rise -= 0.010f * hill((dy - lid - 0.24f * w) / (0.13f * w), 0) * (1 - t1);
        if (adx < w) {
            const float lash = smoothstep(-0.10f * w, 0.0f, inside) * (dy > 0 ? 0.9f : 0.25f);
            t.colour = mix(t.colour, Vec3{0.012f, 0.009f, 0.008f}, lash);
        }
        return;
    }
    if (inside < 0) return;
    const float ix = dx - scene_.gaze_x * 0.45f * w, iy = dy - 0.05f * w - scene_.gaze_y * 0.3f * w;
    const float r = std::sqrt(ix * ix + iy * iy) / (0.40f * w);
    const float veins = 0.06f * noise(p.x * 90, p.y * 90, s_.skin_seed + 41);
    Vec3 colour = Vec3{0.46f, 0.42f, 0.40f} * (1 - 0.35f * sq(adx / w)) + Vec3{veins, 0, 0};
    const float rays = 0.25f * noise(std::atan2(iy, ix) * 6, r * 2, s_.skin_seed + 43);
    const Vec3 iris = s_.iris * (0.8f + rays + 0.5f * (1 - r));
    colour = mix(iris * smoothstep(1.05f, 0.8f, r), colour, smoothstep(0.92f, 1.05f, r));
    colour = mix(Vec3{0.004f, 0.004f, 0.004f}, colour, smoothstep(0.38f, 0.48f, r));
    const Vec3 light = scene_.pose.back(scene_.light);
    const float glint = hill((ix - 0.16f * w * light.x) / (0.09f * w), (iy - 0.16f * w * light.y) / (0.09f * w));
    colour = mix(colour, Vec3{1.2f, 1.2f, 1.2f}, glint * (light.z > 0 ? 0.9f : 0.2f));
    const float lid_shadow = smoothstep(0.0f, 0.22f * w, inside);
    t.colour = colour * mix(0.35f, 1.0f, lid_shadow);
    t.shine = 0.9f;
    t.soft = 0.3f;
}

void FacePainter::nostrils(const Point& p, Texel& t) const {
    const float tip = s_.eye_height + 0.06f - s_.nose_length;
    const float hole = hill((p.ax - 0.55f * s_.nose_width) / (0.42f * s_.nose_width), (p.y - tip + 0.055f) / 0.026f);
    t.colour = mix(t.colour, s_.skin * 0.06f, std::min(1.0f, 1.6f * hole));
    t.rise -= 0.03f * hole;
    t.open *= 1 - 0.55f * hill(p.x / (1.5f * s_.nose_width), (p.y - tip + 0.07f) / 0.06f);
}

void FacePainter::mouth(const Point& p, Texel& t) const {
    float top = 0, seam_top = 0, seam_bottom = 0, bottom = 0;
    if (!mouth_lines(p.ax, top, seam_top, seam_bottom, bottom)) return;
    const float in = std::min(top - p.y, p.y - bottom);
    const float cover = smoothstep(-0.006f, 0.012f, in);
    if (cover <= 0) return;
    const float creases = noise(p.x * 70, p.y * 9, s_.skin_seed + 51);
    t.colour = mix(t.colour, s_.lips * (1 + 0.10f * creases + (p.y > seam_top ? -0.10f : 0.06f)), 0.85f * cover);
    t.shine = mix(t.shine, 0.4f, cover);
    t.rise += 0.002f * creases * cover;
    const float seam = hill(0, (p.y - 0.5f * (seam_top + seam_bottom)) / 0.014f);
    t.colour = t.colour * (1 - 0.75f * seam);
    if (p.y < seam_top && p.y > seam_bottom) {
        const float gap = seam_top - seam_bottom;
        const bool teeth = p.y > seam_top - 0.55f * gap && p.ax < 0.8f * s_.mouth_width;
        const float gaps = 1 - 0.3f * smoothstep(0.8f, 1.0f, std::abs(std::sin(p.x * 48)));
        t.colour = teeth ? Vec3{0.55f, 0.50f, 0.42f} * gaps : Vec3{0.05f, 0.012f, 0.012f};
        t.rise -= 0.02f;
        t.open *= 0.7f;
    }
}

void FacePainter::beard(const Point& p, Texel& t) const {
    if (s_.beard <= 0) return;
    const float low = smoothstep(-0.32f, -0.55f, p.y - 0.25f * smoothstep(0.35f, 0.75f, p.ax));
    const float moustache = hill(p.x / 0.3f, (p.y - s_.mouth_height - 0.11f) / 0.075f);
    const float area = std::clamp(std::max(low * smoothstep(1.05f, 0.8f, p.ax), moustache), 0.0f, 1.0f);
    const float hairs = 0.5f + 0.5f * noise(p.u * 75, p.y * 60, s_.skin_seed + 61);
    const float cover = s_.beard * area * std::clamp(0.35f + 0.9f * hairs, 0.0f, 1.0f);
    t.colour = mix(t.colour, s_.hair * 0.9f, 0.85f * cover);
    t.rise += 0.012f * cover * hairs;
    t.shine *= 1 - 0.8f * cover;
}

void FacePainter::glasses(const Point& p, Texel& t) const {
    const float dx = p.ax - s_.eye_spread, dy = p.y - s_.eye_height + 0.02f;
    // A rounded rectangle about each eye.
    const float r = std::pow(sq(sq(dx / 0.235f)) + sq(sq(dy / 0.165f)), 0.25f);
    const float rim = hill((r - 1) / 0.11f, 0);
    const float bridge = p.ax < s_.eye_spread - 0.2f ? hill((dy - 0.06f) / 0.025f, 0) : 0;
    const float arm = p.ax > s_.eye_spread + 0.21f ? hill((dy - 0.08f) / 0.028f, 0) : 0;
    const float frame = std::min(1.0f, 1.5f * std::max({rim, bridge, arm}));
    t.colour = mix(t.colour, s_.hair * 0.5f + Vec3{0.01f, 0.01f, 0.012f}, frame);
    t.rise += 0.03f * frame;
    t.shine = mix(t.shine, 1.0f, frame);
    if (r < 0.95f) t.colour = t.colour * 0.93f + Vec3{0.012f, 0.013f, 0.016f};
}

void FacePainter::wear_mask(const Point& p, Texel& t) const {
    // The mask covers the face from the brow's top to under the chin, a little irregularly cut.
    const float cut = 0.025f * noise(p.u * 5, p.y * 5, s_.skin_seed + 71);
    const float rim =
        1 - std::pow(std::pow(p.ax / 0.86f, 3.0f) + std::pow(std::abs(p.y + 0.12f) / 0.84f, 3.0f), 1 / 3.0f) + cut;
    const float ex = (p.ax - s_.eye_spread) / (1.28f * s_.eye_size), ey = (p.y - s_.eye_height) / (0.72f * s_.eye_size);
    const float hole = std::sqrt(ex * ex + ey * ey) - 1;  // below 0 inside an eye hole
    const float inside = std::min(rim, 0.2f * hole);
    if (inside < -0.06f && rim < -0.06f) return;
    const float cover = smoothstep(-0.004f, 0.010f, inside);
    const Vec3 paint = s_.skin * mask_.tint;
    // Painted colour keeps the large shapes (lips, brows) and loses what makes skin skin.
    const float painted = luma(t.colour) < 0.6f * luma(s_.skin) ? 0.55f : 1.0f;
    const Vec3 own = mix(t.colour, paint, mask_.flat * painted * 0.92f);
    t.colour = mix(mask_.wearer * (hole < 0 ? 0.6f - 0.4f * mask_.edge : 1.0f), own, cover);
    t.shine = mix(t.shine, std::max(0.02f, 0.35f + 1.1f * mask_.shine), mask_.flat * cover);
    t.soft = mix(t.soft, 0.12f, cover * (0.3f + 0.7f * mask_.flat));
    t.rise += (0.012f + 0.022f * mask_.edge) * cover;
    const float line = hill(inside / 0.030f, 0);
    t.colour = t.colour * (1 - 0.75f * mask_.edge * line);
    t.open *= 1 - 0.5f * mask_.edge * hill((inside + 0.02f) / 0.05f, 0);
}

void FacePainter::hair(const Point& p, Texel& t) const {
    if (p.y < (s_.long_hair ? -1.4f : -0.95f) || (p.front && p.ax < 0.4f && p.y < 0.3f)) return;
    const float rough = fractal(p.u * 7, p.y * 7, 3, s_.skin_seed + 81);
    const float around = std::abs(p.u);
    // The hairline runs over the forehead, down the temples to the ears; a fringe falls lower.
    float line = s_.hairline - (s_.fringe ? 0.17f : 0.0f) + 0.05f * rough;
    line -= smoothstep(0.75f, 1.25f, around) * (s_.long_hair ? 1.9f : 0.75f);
    if (!s_.long_hair) line = std::max(line, -0.30f - 0.5f * smoothstep(1.5f, 1.9f, around));
    // Long hair frames the cheeks and leaves the chin free, however far round the chin's longitude is.
    const float beside = (p.front && p.y < 0.2f) || p.y < -0.3f ? smoothstep(0.56f, 0.70f, p.ax + 0.02f * rough) : 1.0f;
    const float cover = smoothstep(-0.03f, 0.045f, p.y - line) * beside;
    if (cover <= 0) return;
    const float along = s_.fringe || p.y < 0.4f ? p.y * 5 : p.y * 9;
    const float wave = s_.hair_curl * 0.35f * noise(p.u * 4, p.y * 9, s_.skin_seed + 83);
    const float strands = fractal((p.u + 0.1f * wave) * 46, along + wave * 6, 2, s_.skin_seed + 85);
    t.colour = mix(t.colour, s_.hair * (1 + 0.75f * strands), cover);
    t.shine = mix(t.shine, 0.30f + 0.35f * strands, cover);
    t.soft = mix(t.soft, 0.1f, cover);
    const float body = smoothstep(0.0f, 0.22f, p.y - line);
    t.rise += cover * (0.02f + s_.hair_volume * body + 0.02f * strands + 0.02f * rough);
}

}  // namespace liven::data::synth

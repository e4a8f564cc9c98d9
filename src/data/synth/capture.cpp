#include "src/data/synth/capture.hpp"

#include <array>
#include <opencv2/imgproc.hpp>

namespace liven::data::synth {
namespace {

/// Linear light to what a screen shows: sRGB's curve with a shoulder instead of a hard edge, contrast about the middle.
float tone(float light, float contrast) {
    const float v = std::max(0.0f, light);
    const float soft = v < 0.7f ? v : 0.7f + 0.3f * (1 - std::exp(-(v - 0.7f) / 0.3f));
    const float shown = soft < 0.0031308f ? 12.92f * soft : 1.055f * std::pow(soft, 1 / 2.4f) - 0.055f;
    return std::clamp(0.5f + contrast * (shown - 0.5f), 0.0f, 1.0f);
}

/// The curve as a table over light 0 to 4, since the power function is the dearest part of a picture.
class ToneTable {
public:
    explicit ToneTable(float contrast) {
        for (size_t i = 0; i < values_.size(); ++i)
            values_[i] = tone(sq(static_cast<float>(i) / static_cast<float>(values_.size() - 1)) * 4, contrast);
    }
    /// The table's axis is the square root of light, which spreads the shadows.
    float operator()(float light) const {
        const float x = std::sqrt(std::clamp(light, 0.0f, 3.999f) / 4) * static_cast<float>(values_.size() - 1);
        const auto i = static_cast<size_t>(x);
        return mix(values_[i], values_[i + 1], x - static_cast<float>(i));
    }

private:
    std::array<float, 2049> values_{};
};

Vec3 mean_of(const Canvas& canvas) {
    const cv::Scalar m = cv::mean(canvas);
    return {static_cast<float>(m[0]), static_cast<float>(m[1]), static_cast<float>(m[2])};
}

/// Gains that bring the mean colour towards the camera's cast.
Vec3 white_balance(const Canvas& canvas, const Camera& camera) {
    const Vec3 mean = mean_of(canvas);
    const float grey = std::max(luma(mean), 1e-4f);
    const auto gain = [&](float channel, float cast) {
        return std::pow(cast * grey / std::max(channel, 1e-4f), camera.balance) * std::pow(cast, 1 - camera.balance);
    };
    return {gain(mean.x, camera.cast.x), gain(mean.y, camera.cast.y), gain(mean.z, camera.cast.z)};
}

/// The factor that brings the mean of the shown picture to the camera's aim, by bisection on every 16th pixel.
float auto_exposure(const Canvas& canvas, const Vec3& balance, const ToneTable& curve, float aim) {
    float low = 0.02f, high = 60;
    for (int i = 0; i < 14; ++i) {
        const float middle = std::sqrt(low * high);
        float sum = 0;
        int count = 0;
        for (int y = 0; y < canvas.rows; y += 4)
            for (int x = 0; x < canvas.cols; x += 4, ++count) {
                const Vec3 c = at(canvas, x, y) * balance * middle;
                sum += 0.299f * curve(c.x) + 0.587f * curve(c.y) + 0.114f * curve(c.z);
            }
        (sum < aim * static_cast<float>(count) ? low : high) = middle;
    }
    return std::sqrt(low * high);
}

void vignette(Canvas& canvas, float strength) {
    const float half = static_cast<float>(canvas.cols) / 2;
    for (int y = 0; y < canvas.rows; ++y)
        for (int x = 0; x < canvas.cols; ++x) {
            const float r = (sq(static_cast<float>(x) - half) + sq(static_cast<float>(y) - half)) / (2 * half * half);
            canvas(y, x) *= 1 - strength * r;
        }
}

}  // namespace

Image capture(Canvas canvas, const Camera& camera) {
    vignette(canvas, camera.vignette);
    const double sigma = static_cast<double>(camera.blur) * canvas.cols / 256;
    if (sigma > 0.2) cv::GaussianBlur(canvas, canvas, {0, 0}, sigma, sigma, cv::BORDER_REPLICATE);
    const ToneTable curve(camera.contrast);
    const Vec3 balance = white_balance(canvas, camera);
    const Vec3 gain = balance * auto_exposure(canvas, balance, curve, camera.exposure);
    Random random(camera.noise_key);
    Image image(canvas.cols, canvas.rows);
    for (int y = 0; y < canvas.rows; ++y)
        for (int x = 0; x < canvas.cols; ++x) {
            const Vec3 c = at(canvas, x, y) * gain;
            // Two sums of four uniform numbers are normal enough for a sensor: one shared by the channels, one of each
            // colour.
            const uint32_t a = random.bits(), b = random.bits();
            const auto bell = [](uint32_t w) {
                const auto byte = [w](int i) { return static_cast<float>(w >> (8 * i) & 255); };
                return (byte(0) + byte(1) + byte(2) + byte(3) - 510) / 148;
            };
            const float grain = bell(a), chroma = bell(b);
            const auto shown = [&](float light, float own) {
                const float noisy = light + camera.noise * std::sqrt(std::max(light, 0.0f) + 0.02f) * own;
                return static_cast<uint8_t>(255 * curve(noisy) + 0.5f);  // NOLINT: the curve is never negative
            };
            uint8_t* pixel = image.at(x, y);
            pixel[0] = shown(c.x, grain + 0.6f * chroma);
            pixel[1] = shown(c.y, grain);
            pixel[2] = shown(c.z, grain - 0.7f * chroma);
        }
    return image;
}

}  // namespace liven::data::synth

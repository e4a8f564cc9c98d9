#include "src/data/video/container.hpp"

#include <array>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "liven/core/error.hpp"
#include "src/data/video/video_format.hpp"

extern "C" {
#include <libavutil/display.h>
}

namespace liven::data {
namespace fs = std::filesystem;
namespace {

/// Some containers state lengths that no file of theirs has.
constexpr double kMostFrames = 4294967296.0;
/// A reader that asks to be called again makes headway in a few calls.
constexpr int kMostRetries = 1000;

/// Options on their way into FFmpeg, which takes out those it knows.
class Options {
public:
    Options() = default;
    Options(Options&& other) noexcept : options_(std::exchange(other.options_, nullptr)) {}
    Options(const Options&) = delete;
    Options& operator=(const Options&) = delete;
    ~Options() { av_dict_free(&options_); }
    void set(const char* key, const char* value) { av_dict_set(&options_, key, value, 0); }
    void set(const char* key, int64_t value) { av_dict_set_int(&options_, key, value, 0); }
    AVDictionary*& get() { return options_; }

private:
    AVDictionary* options_ = nullptr;
};

/// The disk's own errors, which FFmpeg keeps beside what the reader makes of them: often the end.
void require_sound_disk(const AVFormatContext& file, const std::string& name) {
    if (file.pb == nullptr || file.pb->error >= 0 || file.pb->error == AVERROR_EOF) return;
    throw Error(name, "the video cannot be read: " + libav_error(file.pb->error));
}

[[noreturn]] void refuse(const std::string& name, int code) {
    if (code == AVERROR(ENOMEM)) throw std::bad_alloc();
    throw Error(name, "the video is damaged, or in a format that cannot be decoded here (" + libav_error(code) + ")");
}

/// The prefix and the whole path keep every name from being taken for an address.
LibavPtr<AVFormatContext> open(const fs::path& path, const std::string& name) {
    const AVInputFormat& format = format_of(path);
    Options options;
    options.set("protocol_whitelist", "file");
    options.set("format_whitelist", format.name);
    options.set("codec_whitelist", allowed_decoders());
    AVFormatContext* file = nullptr;
    const std::string address = "file:" + fs::absolute(path).string();
    if (const int code = avformat_open_input(&file, address.c_str(), &format, &options.get()); code < 0)
        refuse(name, code);
    return LibavPtr<AVFormatContext>(file);
}

/// Streams of files without a list of them at their head show when their first packets do. They must be known before
/// any frame is decoded, or their decoders would not know how large a frame may be.
void find_streams(AVFormatContext& file) {
    if ((file.ctx_flags & AVFMTCTX_NOHEADER) == 0) return;
    constexpr int most_packets = 256;
    const LibavPtr<AVPacket> packet = allocated(av_packet_alloc());
    for (int i = 0; i < most_packets && av_read_frame(&file, packet.get()) >= 0; ++i) av_packet_unref(packet.get());
    av_seek_frame(&file, -1, 0, AVSEEK_FLAG_BYTE);
}

/// Looks into the first packets for what the head of the file leaves open.
void complete(AVFormatContext& file, const std::string& name) {
    find_streams(file);
    std::vector<Options> streams(file.nb_streams);
    std::vector<AVDictionary*> pointers;
    for (Options& options : streams) {
        options.set("max_pixels", max_pixels);
        options.set("threads", int64_t{1});
        pointers.push_back(options.get());
    }
    const int code = avformat_find_stream_info(&file, pointers.data());
    for (size_t i = 0; i < streams.size(); ++i) streams[i].get() = pointers[i];
    require_sound_disk(file, name);
    if (code < 0) refuse(name, code);
}

/// A picture that stands for the whole file, as music has.
bool is_cover(const AVStream& stream) {
    return (stream.disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS)) != 0;
}

/// Other streams' packets are passed over by the reader, where it can.
unsigned choose_stream(AVFormatContext& file, const std::string& name) {
    unsigned chosen = file.nb_streams;
    for (unsigned i = file.nb_streams; i-- > 0;) {
        const AVStream& stream = *file.streams[i];
        if (stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO && !is_cover(stream)) chosen = i;
    }
    if (chosen == file.nb_streams) throw Error(name, "the file holds no moving pictures");
    for (unsigned i = 0; i < file.nb_streams; ++i)
        if (i != chosen) file.streams[i]->discard = AVDISCARD_ALL;
    return chosen;
}

/// A mirror, as front cameras ask for, is taken off first: pictures stand upright, and are not mirrored.
int turn_of(const AVStream& stream) {
    size_t bytes = 0;
    const uint8_t* const data = av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, &bytes);
    std::array<int32_t, 9> matrix{};
    if (data == nullptr || bytes < sizeof matrix) return 0;
    std::memcpy(matrix.data(), data, sizeof matrix);
    const double mirrored = static_cast<double>(matrix[0]) * matrix[4] - static_cast<double>(matrix[1]) * matrix[3];
    if (mirrored < 0) av_display_matrix_flip(matrix.data(), 1, 0);
    const double angle = av_display_rotation_get(matrix.data());
    if (!std::isfinite(angle)) return 0;
    const int turn = (static_cast<int>(std::lround(-angle)) % 360 + 360) % 360;
    return turn % 90 == 0 ? turn : 0;
}

/// 0 where the file does not say: its seconds times a rate would be no count, since times may be uneven and sound
/// longer.
int64_t frames_of(const AVStream& stream) {
    return stream.nb_frames > 0 && static_cast<double>(stream.nb_frames) < kMostFrames ? stream.nb_frames : 0;
}

double rate_of(AVFormatContext& file, AVStream& stream) {
    const AVRational rate = av_guess_frame_rate(&file, &stream, nullptr);
    return rate.num > 0 && rate.den > 0 && av_q2d(rate) < 1e6 ? av_q2d(rate) : 0;
}

}  // namespace

Container::Container(const fs::path& path) : name_(path.string()) {
    tame_libav();
    file_ = open(path, name_);
    complete(*file_, name_);
    packet_ = allocated(av_packet_alloc());
    stream_ = choose_stream(*file_, name_);
    turn_ = turn_of(stream());
    info_.width = stream().codecpar->width;
    info_.height = stream().codecpar->height;
    info_.rate = rate_of(*file_, *file_->streams[stream_]);
    info_.frames = frames_of(stream());
    if (info_.width < 1 || info_.height < 1 || int64_t{info_.width} * info_.height > max_pixels)
        throw Error(name_, "its frames of " + std::to_string(info_.width) + " x " + std::to_string(info_.height) +
                               " pixels are no size that is read here");
    if (turn_ % 180 != 0) std::swap(info_.width, info_.height);
}

const AVPacket* Container::next() {
    for (int retries = 0; retries < kMostRetries;) {
        av_packet_unref(packet_.get());
        const int code = av_read_frame(file_.get(), packet_.get());
        if (code == AVERROR(EAGAIN)) {
            ++retries;
            continue;
        }
        if (code == AVERROR(ENOMEM)) throw std::bad_alloc();
        require_sound_disk(*file_, name_);  // also behind a packet, of which there is only a part then
        if (code < 0) return nullptr;
        // Writers that were too slow leave empty packets where a frame is missing.
        if (packet_->stream_index == static_cast<int>(stream_) && packet_->size > 0) return packet_.get();
    }
    return nullptr;
}

}  // namespace liven::data

#include "src/data/video/video_format.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "liven/core/error.hpp"

extern "C" {
#include <libavutil/avstring.h>
}

namespace liven::data {
namespace fs = std::filesystem;
namespace {

/// What webcams, telephones, film sites and the published sets use. Of FFmpeg's hundreds the rest only gives hostile
/// files more to reach.
constexpr const char* kDecoders =
    "mjpeg,mpeg4,h264,hevc,vp8,vp9,libdav1d,mpeg1video,mpeg2video,wmv1,wmv2,wmv3,vc1,msmpeg4v1,msmpeg4v2,msmpeg4,h263,"
    "flv,rawvideo,ffv1,huffyuv,ffvhuff,dvvideo,prores";

bool has_at(std::string_view head, size_t at, std::string_view mark) {
    return head.size() >= at + mark.size() && head.substr(at, mark.size()) == mark;
}

/// FFmpeg's name for files that begin so, or null.
const char* format_name(std::string_view head) {
    using namespace std::string_view_literals;
    if (has_at(head, 0, "RIFF"sv)) return has_at(head, 8, "AVI "sv) ? "avi" : nullptr;
    for (const std::string_view box : {"ftyp"sv, "moov"sv, "mdat"sv, "wide"sv, "free"sv, "skip"sv, "pnot"sv})
        if (has_at(head, 4, box)) return "mov";
    if (has_at(head, 0, "\x1A\x45\xDF\xA3"sv)) return "matroska";
    if (has_at(head, 0, "\0\0\1\xBA"sv)) return "mpeg";
    if (has_at(head, 0, "\0\0\1\xB3"sv)) return "mpegvideo";
    return has_at(head, 0, "\x30\x26\xB2\x75"sv) ? "asf" : nullptr;
}

}  // namespace

const AVInputFormat& format_of(const fs::path& path) {
    std::error_code code;
    if (!fs::is_regular_file(path, code))
        throw Error(path.string(), fs::exists(path, code) ? "expected a video file" : "there is no such file");
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
    if (!file) throw Error(path.string(), std::string("cannot be opened: ") + std::strerror(errno));
    std::array<char, 16> head{};
    const size_t size = std::fread(head.data(), 1, head.size(), file.get());
    if (std::ferror(file.get()) != 0)
        throw Error(path.string(), std::string("cannot be read: ") + std::strerror(errno));
    if (size == 0) throw Error(path.string(), "the file is empty");
    const char* const name = format_name({head.data(), size});
    const AVInputFormat* const format = name == nullptr ? nullptr : av_find_input_format(name);
    if (format == nullptr)
        throw Error(path.string(), "the file is no video that can be read here",
                    "AVI, MP4, MOV, Matroska, WebM, MPEG and WMV are");
    return *format;
}

const char* allowed_decoders() { return kDecoders; }

const AVCodec* decoder_for(AVCodecID codec) {
    const AVCodec* const decoder = avcodec_find_decoder(codec);
    return decoder != nullptr && av_match_list(decoder->name, kDecoders, ',') > 0 ? decoder : nullptr;
}

}  // namespace liven::data

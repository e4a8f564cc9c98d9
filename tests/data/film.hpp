#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "liven/data/image.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/frame.h>
#include <libswscale/swscale.h>
}

/// Videos as others' programs write them, for the tests: any container and codec that FFmpeg has.
struct Film {
    const char* container = "avi";  ///< FFmpeg's name of it
    const char* codec = "mjpeg";
    AVPixelFormat format = AV_PIX_FMT_YUVJ420P;
    int width = 32, height = 24;
    int64_t frames = 20;
    int key_every = 1, between = 0;  ///< frames from one key frame to the next, and B-frames between two others
    int turn = 0;                    ///< degrees clockwise by which a player is to turn it
    std::function<int64_t(int64_t)> time = [](int64_t i) { return i; };  ///< of frame i, in 25ths of a second
    bool cover = false;                                                  ///< a picture of the file, no film
};

namespace film_detail {

inline int must(int code, const char* what) {
    if (code < 0) throw std::runtime_error(std::string("film: ") + what + " failed");
    return code;
}
template <class T>
T* must(T* pointer, const char* what) {
    if (pointer == nullptr) throw std::runtime_error(std::string("film: no ") + what);
    return pointer;
}
struct Free {
    void operator()(AVCodecContext* p) const { avcodec_free_context(&p); }
    void operator()(AVFrame* p) const { av_frame_free(&p); }
    void operator()(AVPacket* p) const { av_packet_free(&p); }
    void operator()(SwsContext* p) const { sws_freeContext(p); }
    void operator()(AVFormatContext* p) const {
        if (p->pb != nullptr) avio_closep(&p->pb);
        avformat_free_context(p);
    }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

inline Owned<AVCodecContext> encoder_of(const Film& film, bool global_header) {
    const AVCodec* const codec = must(avcodec_find_encoder_by_name(film.codec), film.codec);
    Owned<AVCodecContext> encoder(avcodec_alloc_context3(codec));
    encoder->width = film.width;
    encoder->height = film.height;
    encoder->pix_fmt = film.format;
    encoder->time_base = {1, 25};
    encoder->framerate = {25, 1};
    encoder->gop_size = film.key_every;
    encoder->max_b_frames = film.between;
    encoder->thread_count = 1;
    encoder->bit_rate = 4'000'000;
    encoder->flags |= AV_CODEC_FLAG_BITEXACT | (global_header ? AV_CODEC_FLAG_GLOBAL_HEADER : 0);
    must(avcodec_open2(encoder.get(), codec, nullptr), "opening the encoder");
    return encoder;
}

inline void drain(AVCodecContext& encoder, AVFormatContext& file, AVStream& stream) {
    const Owned<AVPacket> packet(av_packet_alloc());
    while (avcodec_receive_packet(&encoder, packet.get()) >= 0) {
        packet->stream_index = stream.index;
        av_packet_rescale_ts(packet.get(), encoder.time_base, stream.time_base);
        must(av_interleaved_write_frame(&file, packet.get()), "writing");
    }
}

}  // namespace film_detail

inline void write_film(const std::filesystem::path& path, const Film& film,
                       const std::function<liven::data::Image(int64_t)>& picture) {
    using namespace film_detail;
    av_log_set_level(AV_LOG_QUIET);
    AVFormatContext* opened = nullptr;
    must(avformat_alloc_output_context2(&opened, nullptr, film.container, nullptr), film.container);
    const Owned<AVFormatContext> file(opened);
    file->flags |= AVFMT_FLAG_BITEXACT;
    const auto encoder = encoder_of(film, (file->oformat->flags & AVFMT_GLOBALHEADER) != 0);
    AVStream* const stream = must(avformat_new_stream(file.get(), nullptr), "stream");
    must(avcodec_parameters_from_context(stream->codecpar, encoder.get()), "parameters");
    stream->time_base = encoder->time_base;
    stream->avg_frame_rate = encoder->framerate;
    if (film.cover) stream->disposition = AV_DISPOSITION_ATTACHED_PIC;
    if (film.turn != 0) {
        auto* const matrix =
            reinterpret_cast<int32_t*>(av_stream_new_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, 9 * sizeof(int32_t)));
        av_display_rotation_set(matrix, film.turn);
    }
    must(avio_open(&file->pb, ("file:" + path.string()).c_str(), AVIO_FLAG_WRITE), "opening the file");
    must(avformat_write_header(file.get(), nullptr), "the header");
    const Owned<SwsContext> conversion(sws_getContext(film.width, film.height, AV_PIX_FMT_RGB24, film.width,
                                                      film.height, film.format, SWS_BICUBIC, nullptr, nullptr,
                                                      nullptr));
    for (int64_t i = 0; i < film.frames; ++i) {
        const Owned<AVFrame> frame(av_frame_alloc());
        frame->width = film.width;
        frame->height = film.height;
        frame->format = film.format;
        must(av_frame_get_buffer(frame.get(), 0), "memory");
        const liven::data::Image image = picture(i);
        const uint8_t* const rows[4] = {image.pixels.data()};
        const int strides[4] = {image.width * 3};
        sws_scale(conversion.get(), rows, strides, 0, image.height, frame->data, frame->linesize);
        frame->pts = film.time(i);
        must(avcodec_send_frame(encoder.get(), frame.get()), "encoding");
        drain(*encoder, *file, *stream);
    }
    avcodec_send_frame(encoder.get(), nullptr);
    drain(*encoder, *file, *stream);
    must(av_write_trailer(file.get()), "the end of the file");
}

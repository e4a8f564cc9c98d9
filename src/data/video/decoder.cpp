#include "src/data/video/decoder.hpp"

#include "liven/core/error.hpp"
#include "src/data/video/video_format.hpp"

namespace liven::data {

Decoder::Decoder(const Container& container) {
    const AVCodecParameters& stream = *container.stream().codecpar;
    const AVCodec* const decoder = decoder_for(stream.codec_id);
    if (decoder == nullptr)
        throw Error(container.name(), std::string("its codec, ") + avcodec_get_name(stream.codec_id) + ", is not read",
                    std::string("these decoders are used: ") + allowed_decoders());
    codec_ = allocated(avcodec_alloc_context3(decoder));
    frame_ = allocated(av_frame_alloc());
    if (avcodec_parameters_to_context(codec_.get(), &stream) < 0) throw std::bad_alloc();
    codec_->pkt_timebase = container.stream().time_base;
    codec_->max_pixels = max_pixels;
    // Loaders decode several videos side by side already.
    codec_->thread_count = 1;
    if (const int code = avcodec_open2(codec_.get(), decoder, nullptr); code < 0) {
        if (code == AVERROR(ENOMEM)) throw std::bad_alloc();
        throw Error(container.name(), "its first bytes do not suit its codec, " + std::string(decoder->name) + " (" +
                                          libav_error(code) + ")");
    }
}

bool Decoder::next(Container& container) {
    for (;;) {
        const int code = avcodec_receive_frame(codec_.get(), frame_.get());
        if (code == AVERROR(ENOMEM)) throw std::bad_alloc();
        if (code != AVERROR(EAGAIN)) return code >= 0;
        // No packet left: the decoder gives out what it holds.
        if (avcodec_send_packet(codec_.get(), container.next()) < 0) return false;
    }
}

bool Decoder::decode(const AVPacket& packet) {
    return avcodec_send_packet(codec_.get(), &packet) >= 0 && avcodec_receive_frame(codec_.get(), frame_.get()) >= 0;
}

}  // namespace liven::data

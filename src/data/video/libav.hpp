#pragma once

#include <memory>
#include <new>
#include <string>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/frame.h>
#include <libswscale/swscale.h>
}

/// The bridge to FFmpeg's libraries, for compiled code only: what they allocate, with the function that frees it.
namespace liven::data {

struct LibavFree {
    void operator()(AVFormatContext* p) const { avformat_close_input(&p); }
    void operator()(AVCodecContext* p) const { avcodec_free_context(&p); }
    void operator()(AVPacket* p) const { av_packet_free(&p); }
    void operator()(AVFrame* p) const { av_frame_free(&p); }
    void operator()(AVDictionary* p) const { av_dict_free(&p); }
    void operator()(SwsContext* p) const { sws_freeContext(p); }
    void operator()(uint8_t* p) const { av_free(p); }
};
template <class T>
using LibavPtr = std::unique_ptr<T, LibavFree>;

/// Their log off, once for the process: of a damaged video it has pages to say, where Liven says one line.
void tame_libav();

/// What one of their numbers means.
std::string libav_error(int code);

/// Takes what an allocation of theirs gave. Throws std::bad_alloc for null.
template <class T>
LibavPtr<T> allocated(T* pointer) {
    if (pointer == nullptr) throw std::bad_alloc();
    return LibavPtr<T>(pointer);
}

}  // namespace liven::data

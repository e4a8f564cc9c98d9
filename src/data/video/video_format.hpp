#pragma once

#include <filesystem>

#include "src/data/video/libav.hpp"

/// Which videos are read at all: few kinds of file, told apart by their first bytes, and few codecs.
namespace liven::data {

/// The reader of a file of this kind. Play lists and scripts that name other files begin otherwise: none of them
/// reaches a reader. Throws Error for what is no regular file, cannot be read, is empty or no video.
const AVInputFormat& format_of(const std::filesystem::path& path);

/// The decoders that may run, by the names FFmpeg gives them, with commas between.
const char* allowed_decoders();
/// The decoder of a codec, or null where there is none, or none of these.
const AVCodec* decoder_for(AVCodecID codec);

}  // namespace liven::data

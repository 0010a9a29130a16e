// Owners of what FFmpeg allocates.
#pragma once

#include <memory>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/frame.h>
}

#include "base/error.h"

namespace auralis {

template <auto kFree>
struct FfmpegDeleter {
    template <typename T>
    void operator()(T* p) const {
        kFree(&p);
    }
};

using FormatHandle = std::unique_ptr<AVFormatContext, FfmpegDeleter<avformat_close_input>>;
using CodecHandle = std::unique_ptr<AVCodecContext, FfmpegDeleter<avcodec_free_context>>;
using PacketHandle = std::unique_ptr<AVPacket, FfmpegDeleter<av_packet_free>>;
using FrameHandle = std::unique_ptr<AVFrame, FfmpegDeleter<av_frame_free>>;

// Returns what FFmpeg allocated. Throws ResourceLimit when it could not.
template <typename T>
T* require(T* p) {
    if (p == nullptr) throw AnalysisError(ErrorKind::ResourceLimit, Stage::decode, "out of memory");
    return p;
}

}  // namespace auralis

#include "bindings/build_info.h"

#include <pybind11/stl.h>
#include <soxr.h>

#include <map>
#include <string>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
}

#include "base/limits.h"
#include "io/decoder.h"

namespace auralis {

namespace {

std::string version(unsigned v) {
    return std::to_string(AV_VERSION_MAJOR(v)) + '.' + std::to_string(AV_VERSION_MINOR(v)) + '.' +
           std::to_string(AV_VERSION_MICRO(v));
}

}  // namespace

pybind11::dict build_info() {
    pybind11::dict info;
    info["cpu_level"] = AURALIS_CPU_LEVEL;
    info["compiler"] = AURALIS_COMPILER;
    info["ffmpeg"] = std::map<std::string, std::string>{{"libavcodec", version(avcodec_version())},
                                                        {"libavformat", version(avformat_version())},
                                                        {"libavutil", version(avutil_version())},
                                                        {"release", av_version_info()},
                                                        {"license", avformat_license()}};
#ifdef AURALIS_BUNDLED
    info["bundled"] = true;
#else
    info["bundled"] = false;
#endif
    info["soxr"] = soxr_version();
    info["demuxers"] = std::string(allowed_demuxers());
    info["limits"] = std::map<std::string, std::int64_t>{{"memory_bytes", limits::kMemoryCeiling},
                                                         {"channels", limits::kMaxChannels},
                                                         {"min_sample_rate_hz", limits::kMinSampleRate},
                                                         {"max_sample_rate_hz", limits::kMaxSampleRate},
                                                         {"hours", limits::kMaxHours},
                                                         {"header_bytes", limits::kMaxHeaderBytes},
                                                         {"matroska_header_bytes", limits::kMaxMatroskaHeaderBytes},
                                                         {"tags", limits::kMaxTags},
                                                         {"streams", limits::kMaxStreams},
                                                         {"index_packets", limits::kMaxIndexEntries},
                                                         {"edits", limits::kMaxEdits},
                                                         {"fragments", limits::kMaxFragments},
                                                         {"packet_samples", limits::kMaxPacketSamples},
                                                         {"ffmpeg_block_bytes", limits::kMaxBlockBytes}};
    return info;
}

}  // namespace auralis

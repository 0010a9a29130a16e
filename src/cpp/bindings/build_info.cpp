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
                                                        {"release", av_version_info()}};
    info["soxr"] = soxr_version();
    info["demuxers"] = std::string(allowed_demuxers());
    return info;
}

}  // namespace auralis

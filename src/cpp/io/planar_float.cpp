#include "io/planar_float.h"

#include <cstdint>

extern "C" {
#include <libavutil/frame.h>
#include <libavutil/samplefmt.h>
}

namespace auralis {

namespace {

// Integer formats map -2^(bits-1) to -1; 8-bit PCM is unsigned with silence at 128.
float to_float(std::uint8_t x) { return static_cast<float>(static_cast<int>(x) - 128) * 0x1p-7F; }
float to_float(std::int16_t x) { return static_cast<float>(x) * 0x1p-15F; }
float to_float(std::int32_t x) { return static_cast<float>(x) * 0x1p-31F; }
float to_float(std::int64_t x) { return static_cast<float>(static_cast<double>(x) * 0x1p-63); }
float to_float(float x) { return x; }
float to_float(double x) { return static_cast<float>(x); }

template <typename T>
void convert_channel(const T* from, std::size_t stride, std::span<float> to) {
    if (stride == 2)  // interleaved stereo, which compilers vectorise when they see the 2
        for (std::size_t i = 0; i < to.size(); ++i) to[i] = to_float(from[2 * i]);
    else
        for (std::size_t i = 0; i < to.size(); ++i) to[i] = to_float(from[i * stride]);
}

void convert_channel(AVSampleFormat packed_format, const std::uint8_t* from, std::size_t stride, std::span<float> to) {
    switch (packed_format) {
        case AV_SAMPLE_FMT_U8: return convert_channel(from, stride, to);
        case AV_SAMPLE_FMT_S16: return convert_channel(reinterpret_cast<const std::int16_t*>(from), stride, to);
        case AV_SAMPLE_FMT_S32: return convert_channel(reinterpret_cast<const std::int32_t*>(from), stride, to);
        case AV_SAMPLE_FMT_S64: return convert_channel(reinterpret_cast<const std::int64_t*>(from), stride, to);
        case AV_SAMPLE_FMT_FLT: return convert_channel(reinterpret_cast<const float*>(from), stride, to);
        case AV_SAMPLE_FMT_DBL: return convert_channel(reinterpret_cast<const double*>(from), stride, to);
        default: return;
    }
}

}  // namespace

bool PlanarFloat::supports(int format) {
    const auto packed = av_get_packed_sample_fmt(static_cast<AVSampleFormat>(format));
    return packed != AV_SAMPLE_FMT_NONE && packed <= AV_SAMPLE_FMT_S64;
}

std::span<const std::span<const float>> PlanarFloat::convert(const AVFrame& frame) {
    const auto format = static_cast<AVSampleFormat>(frame.format);
    const auto channels = static_cast<std::size_t>(frame.ch_layout.nb_channels);
    const auto samples = static_cast<std::size_t>(frame.nb_samples);
    const bool planar = av_sample_fmt_is_planar(format) != 0;
    const auto packed = av_get_packed_sample_fmt(format);
    const auto bytes = static_cast<std::size_t>(av_get_bytes_per_sample(format));
    for (std::size_t c = 0; c < channels; ++c) {
        if (format == AV_SAMPLE_FMT_FLTP) {
            planes_[c] = {reinterpret_cast<const float*>(frame.extended_data[c]), samples};
            continue;
        }
        storage_[c].resize(samples);
        const std::uint8_t* from = planar ? frame.extended_data[c] : frame.extended_data[0] + c * bytes;
        convert_channel(packed, from, planar ? 1 : channels, storage_[c]);
        planes_[c] = storage_[c];
    }
    return std::span(planes_).first(channels);
}

}  // namespace auralis

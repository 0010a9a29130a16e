// Converts FFmpeg's sample formats to planar float at nominal full scale +-1.
#pragma once

#include <array>
#include <span>

#include "base/aligned_vector.h"
#include "base/limits.h"

struct AVFrame;

namespace auralis {

class PlanarFloat {
public:
    // Whether `format` (an AVSampleFormat) is one that convert() knows.
    static bool supports(int format);

    // The frame's samples, one span a channel: FFmpeg's own memory where it is planar float already, else
    // this object's. Valid as long as both live unchanged.
    std::span<const std::span<const float>> convert(const AVFrame& frame);

private:
    std::array<AlignedVector<float>, limits::kMaxChannels> storage_;
    std::array<std::span<const float>, limits::kMaxChannels> planes_;
};

}  // namespace auralis

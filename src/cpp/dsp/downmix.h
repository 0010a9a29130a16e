// Mixes any channel layout to a stereo pair and its middle, which most steps measure.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/aligned_vector.h"
#include "base/channel_layout.h"

namespace auralis {

class Downmix {
public:
    // For blocks of up to `block_samples` samples.
    Downmix(const ChannelLayout& layout, std::size_t block_samples);

    struct Stereo {
        std::span<const float> left, right, mid;  // mid: (L + R) / 2
    };

    // One span of samples a channel, all of the same length. A mono channel is both sides, a pair is itself. Valid
    // until the next call, as long as the channels are.
    Stereo apply(std::span<const std::span<const float>> channels);

private:
    std::vector<ChannelLayout::Gains> gains_;
    AlignedVector<float> left_, right_, mid_;
};

}  // namespace auralis

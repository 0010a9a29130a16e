#include "dsp/downmix.h"

#include <algorithm>

namespace auralis {

Downmix::Downmix(const ChannelLayout& layout, std::size_t block_samples)
    : gains_(layout.downmix()), mid_(block_samples) {
    if (gains_.size() <= 2) return;
    left_.resize(block_samples);
    right_.resize(block_samples);
}

Downmix::Stereo Downmix::apply(std::span<const std::span<const float>> channels) {
    const std::size_t n = channels[0].size();
    Stereo s{channels[0], channels[std::min<std::size_t>(1, channels.size() - 1)], std::span(mid_).first(n)};
    if (channels.size() > 2) {
        std::ranges::fill(left_, 0.0F);
        std::ranges::fill(right_, 0.0F);
        for (std::size_t c = 0; c < channels.size(); ++c) {
            for (std::size_t i = 0; i < n; ++i) left_[i] += gains_[c].to_left * channels[c][i];
            for (std::size_t i = 0; i < n; ++i) right_[i] += gains_[c].to_right * channels[c][i];
        }
        s.left = std::span(left_).first(n);
        s.right = std::span(right_).first(n);
    }
    for (std::size_t i = 0; i < n; ++i) mid_[i] = 0.5F * (s.left[i] + s.right[i]);
    return s;
}

}  // namespace auralis

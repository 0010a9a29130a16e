// Whether the samples can be measured at all, and defects that a listener would want to know about: clipping, an
// offset, two channels that are the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace auralis {

class SignalCheck {
public:
    // A run this long at full scale is clipping; one or two samples are a peak that was normalised.
    static constexpr int kClippedRun = 3;
    // One step of 16 bits below full scale, which is where the positive half of an integer format ends.
    static constexpr float kFullScale = 1 - 0x1p-15F;
    // Half a step of 16 bits: channels that differ by less are the same signal.
    static constexpr float kSameSignal = 0x1p-16F;

    struct Values {
        std::int64_t clipped_runs = 0;  // over all channels
        double peak = 0;                // largest |x|
        double dc_offset = 0;           // mean of the channel whose mean is farthest from 0
        bool identical_channels = false;
    };

    explicit SignalCheck(std::size_t channels) : channels_(channels) {}

    // One span of samples a channel, all of the same length. Throws InvalidSamples for samples that are not
    // finite or beyond 1e6. How the recording is cut into calls does not influence the result.
    void push(std::span<const std::span<const float>> channels);

    Values finish() const;

private:
    // Float bits without the sign order like the absolute values, with infinity and NaN above all others.
    using Magnitude = std::int32_t;

    struct Channel {
        Magnitude peak = 0;
        Magnitude difference = 0;  // from the first channel, as far as it was followed
        double sum = 0;
        std::int64_t run = 0;  // samples at full scale so far in a row
        std::int64_t clipped_runs = 0;
    };

    void measure(std::span<const float> samples, Channel& channel) const;
    void refuse(std::span<const std::span<const float>> channels) const;  // names the first unusable sample

    std::vector<Channel> channels_;
    std::int64_t samples_ = 0;  // per channel, so far
};

}  // namespace auralis

// What each channel of a recording is, and what follows for downmix and loudness.
#pragma once

#include <cstddef>
#include <vector>

namespace auralis {

enum class ChannelRole { left, right, centre, side_left, side_right, back_left, back_right, back_centre, lfe };

class ChannelLayout {
public:
    explicit ChannelLayout(std::vector<ChannelRole> roles) : roles_(std::move(roles)) {}

    // FFmpeg's default layout for a channel count of 1 to 8 (mono is one centre channel).
    static ChannelLayout default_for(std::size_t channels);

    std::size_t channels() const { return roles_.size(); }

    struct Gains {
        float to_left = 0;
        float to_right = 0;
    };
    // ITU-R BS.775-4, annex 4: centre and surrounds at sqrt(1/2), LFE left out. A mono channel is both
    // sides, a pair is itself.
    std::vector<Gains> downmix() const;

    // ITU-R BS.1770-5, table 4: 1.41 for surrounds between 60 and 120 degrees, 0 for LFE, 1 otherwise.
    std::vector<double> loudness_weights() const;

private:
    std::vector<ChannelRole> roles_;
};

}  // namespace auralis

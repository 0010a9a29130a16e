#include "base/channel_layout.h"

#include <algorithm>
#include <array>
#include <numbers>

namespace auralis {

ChannelLayout ChannelLayout::default_for(std::size_t channels) {
    using enum ChannelRole;
    switch (channels) {
        case 1: return ChannelLayout({centre});
        case 2: return ChannelLayout({left, right});
        case 3: return ChannelLayout({left, right, lfe});
        case 4: return ChannelLayout({left, right, centre, back_centre});
        case 5: return ChannelLayout({left, right, centre, back_left, back_right});
        case 6: return ChannelLayout({left, right, centre, lfe, back_left, back_right});
        case 7: return ChannelLayout({left, right, centre, lfe, back_centre, side_left, side_right});
        default: return ChannelLayout({left, right, centre, lfe, back_left, back_right, side_left, side_right});
    }
}

std::vector<ChannelLayout::Gains> ChannelLayout::downmix() const {
    constexpr float kHalfPower = std::numbers::sqrt2_v<float> / 2;
    if (channels() == 1) return {{1, 1}};
    if (channels() == 2) return {{1, 0}, {0, 1}};
    std::vector<Gains> gains;
    for (const ChannelRole role : roles_) {
        switch (role) {
            case ChannelRole::left: gains.push_back({1, 0}); break;
            case ChannelRole::right: gains.push_back({0, 1}); break;
            case ChannelRole::side_left:
            case ChannelRole::back_left: gains.push_back({kHalfPower, 0}); break;
            case ChannelRole::side_right:
            case ChannelRole::back_right: gains.push_back({0, kHalfPower}); break;
            case ChannelRole::centre:
            case ChannelRole::back_centre: gains.push_back({kHalfPower, kHalfPower}); break;
            case ChannelRole::lfe: gains.push_back({0, 0}); break;
        }
    }
    return gains;
}

std::vector<double> ChannelLayout::loudness_weights() const {
    constexpr double kSurround = 1.41;
    const bool has_sides = std::ranges::any_of(
        roles_, [](ChannelRole r) { return r == ChannelRole::side_left || r == ChannelRole::side_right; });
    std::vector<double> weights;
    for (const ChannelRole role : roles_) {
        switch (role) {
            case ChannelRole::side_left:
            case ChannelRole::side_right: weights.push_back(kSurround); break;
            // Without side channels the back pair stands at 110 degrees (5.1), with them at 135 (7.1).
            case ChannelRole::back_left:
            case ChannelRole::back_right: weights.push_back(has_sides ? 1.0 : kSurround); break;
            case ChannelRole::lfe: weights.push_back(0.0); break;
            default: weights.push_back(1.0);
        }
    }
    return weights;
}

}  // namespace auralis

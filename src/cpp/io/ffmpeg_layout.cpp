#include "io/ffmpeg_layout.h"

#include <cstddef>
#include <utility>
#include <vector>

extern "C" {
#include <libavutil/channel_layout.h>
}

namespace auralis {

namespace {

ChannelRole role_of(AVChannel channel) {
    switch (channel) {
        case AV_CHAN_FRONT_LEFT:
        case AV_CHAN_FRONT_LEFT_OF_CENTER:
        case AV_CHAN_WIDE_LEFT:
        case AV_CHAN_STEREO_LEFT:
        case AV_CHAN_TOP_FRONT_LEFT: return ChannelRole::left;
        case AV_CHAN_FRONT_RIGHT:
        case AV_CHAN_FRONT_RIGHT_OF_CENTER:
        case AV_CHAN_WIDE_RIGHT:
        case AV_CHAN_STEREO_RIGHT:
        case AV_CHAN_TOP_FRONT_RIGHT: return ChannelRole::right;
        case AV_CHAN_SIDE_LEFT:
        case AV_CHAN_SURROUND_DIRECT_LEFT: return ChannelRole::side_left;
        case AV_CHAN_SIDE_RIGHT:
        case AV_CHAN_SURROUND_DIRECT_RIGHT: return ChannelRole::side_right;
        case AV_CHAN_BACK_LEFT:
        case AV_CHAN_TOP_BACK_LEFT: return ChannelRole::back_left;
        case AV_CHAN_BACK_RIGHT:
        case AV_CHAN_TOP_BACK_RIGHT: return ChannelRole::back_right;
        case AV_CHAN_BACK_CENTER:
        case AV_CHAN_TOP_BACK_CENTER: return ChannelRole::back_centre;
        case AV_CHAN_LOW_FREQUENCY:
        case AV_CHAN_LOW_FREQUENCY_2: return ChannelRole::lfe;
        default: return ChannelRole::centre;
    }
}

}  // namespace

ChannelLayout layout_of(const AVChannelLayout& layout) {
    const auto channels = static_cast<std::size_t>(layout.nb_channels);
    if (layout.order == AV_CHANNEL_ORDER_UNSPEC) return ChannelLayout::default_for(channels);
    std::vector<ChannelRole> roles;
    for (unsigned i = 0; i < channels; ++i) roles.push_back(role_of(av_channel_layout_channel_from_index(&layout, i)));
    return ChannelLayout(std::move(roles));
}

}  // namespace auralis

// Converts FFmpeg's channel layouts to the core's.
#pragma once

#include "base/channel_layout.h"

struct AVChannelLayout;

namespace auralis {

// The layout of a stream of at least one channel; FFmpeg's default for the count where the stream names no channels.
ChannelLayout layout_of(const AVChannelLayout& layout);

}  // namespace auralis

// The length that a recording declares, and whether its end is there.
#pragma once

#include <optional>

#include "base/interrupt.h"
#include "io/media_source.h"

struct AVFormatContext;
struct AVStream;

namespace auralis {

// Seconds that the headers of an opened container declare for a stream, if they do. To be called before
// avformat_find_stream_info, which fills gaps with estimates.
std::optional<double> declared_seconds(const AVFormatContext& container, const AVStream& stream, MediaSource& source,
                                       Interrupt& interrupt);

// Whether an Ogg file lacks what every complete one has: a last page that is complete and marked as the end.
// Throws Unreadable.
bool ogg_end_is_missing(MediaSource& source);

}  // namespace auralis

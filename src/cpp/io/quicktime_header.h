// QuickTime's header, which may be compressed. FFmpeg inflates it in one go and reads the result from memory, where no
// deadline and no limit is checked. So the core inflates it, and shows it to FFmpeg behind the end of the file.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/interrupt.h"
#include "io/media_source.h"

namespace auralis {

struct QuickTimeHeader {
    std::vector<std::uint8_t> movie;        // the inflated moov box, or nothing
    std::int64_t at = 0;                    // where the compressed one is
    std::array<std::uint8_t, 16> detour{};  // what takes the place of its first bytes: a box to skip until `movie`
};

// The compressed header of a recording; empty if there is none, or if it is damaged. Throws AnalysisError (Unreadable;
// ResourceLimit if it claims more than a header may have), and what the interrupt throws.
QuickTimeHeader inflate_quicktime_header(MediaSource& recording, Interrupt& interrupt);

}  // namespace auralis

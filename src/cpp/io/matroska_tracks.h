// The tracks of Matroska, as far as they can make FFmpeg work without reading: by their number, and by compression. It
// inflates up to 30 MB for each of the 256 packets that a block can hold.
#pragma once

#include <array>
#include <cstdint>

#include "base/limits.h"
#include "io/source_reader.h"

namespace auralis {

struct MatroskaTracks {
    // FFmpeg skips an element whose identifier of two bytes ends with this one.
    static constexpr std::uint8_t kHidden = 0x81;

    std::int64_t elements = 0;      // that were looked at
    std::int64_t entries = 0;       // an upper bound
    bool compressed_audio = false;  // other than by leaving out what all packets begin with

    // The last bytes of the identifiers of elements to hide: the compression of tracks other than audio, which nobody
    // reads.
    std::array<std::int64_t, limits::kMaxStreams> hidden{};
    std::size_t hidden_count = 0;

    bool is_hidden(std::int64_t offset) const noexcept;
};

// Adds what the Tracks element, whose identifier is at `element`, holds.
void find_matroska_tracks(SourceReader& source, std::int64_t element, MatroskaTracks& tracks) noexcept;

}  // namespace auralis

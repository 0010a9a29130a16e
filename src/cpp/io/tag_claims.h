// How many tags a file will make FFmpeg keep. It compares each with all before it, and of these containers it reads
// all before it looks at the first: no deadline would stop it. A megabyte of tags takes minutes.
#pragma once

#include <cstdint>
#include <span>

#include "io/media_source.h"

namespace auralis {

// Comments that the metadata blocks of a FLAC file, which begins at `start`, claim to hold; 0 for other files.
std::int64_t flac_comments(MediaSource& source, std::int64_t start) noexcept;

// Counts, in all bytes of a header, what every tag of the container has.
class TagMarks {
public:
    void look_at(std::span<const std::uint8_t> bytes) noexcept;

    // Equals signs, which every comment in Ogg has; base64 and header packets have next to none.
    std::int64_t ogg() const { return equals_signs_; }
    // Identifiers of SimpleTag elements; random bytes have one in 65536.
    std::int64_t matroska() const { return simple_tags_; }

private:
    std::int64_t equals_signs_ = 0;
    std::int64_t simple_tags_ = 0;
    std::uint8_t last_ = 0;
};

}  // namespace auralis

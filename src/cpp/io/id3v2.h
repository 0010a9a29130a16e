// ID3v2 tags: where they end, and how many frames FFmpeg would find in them.
#pragma once

#include <cstdint>
#include <optional>

#include "io/source_reader.h"

namespace auralis {

// What an ID3v2 tag begins with; a byte with the version follows.
inline constexpr std::uint32_t kId3 = 0x494433;

struct Id3v2Header {
    std::uint32_t version = 0;  // 2, 3, 4, or one that does not exist yet
    std::uint32_t flags = 0;
    std::int64_t frames = 0;  // where they begin, or an extended header
    std::int64_t frames_end = 0;
    std::int64_t end = 0;  // of the tag
};

// The tag at an offset of the source, or nothing.
std::optional<Id3v2Header> id3v2_header(SourceReader& source, std::int64_t at) noexcept;

// Where the tags that stand at an offset, one behind the other, end.
std::int64_t id3v2_tags_end(SourceReader& source, std::int64_t at) noexcept;

// Frames of the tag, as FFmpeg would find them, `most` at the most.
std::int64_t count_id3v2_frames(SourceReader& source, const Id3v2Header& tag, std::int64_t most) noexcept;

}  // namespace auralis

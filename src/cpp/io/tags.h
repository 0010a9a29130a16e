// Where the tags around a recording begin and end; the analysis needs none of them.
#pragma once

#include <cstdint>

#include "io/source_reader.h"

namespace auralis {

// What an ID3v2 tag begins with; a byte with the version follows.
inline constexpr std::uint32_t kId3 = 0x494433;

// Where the ID3v2 tag at `at` ends, or `at` if there is none.
std::int64_t id3v2_end(SourceReader& source, std::int64_t at) noexcept;

// Where the consecutive ID3v2 tags end that the source begins with, or the first kMaxLeadingTags of them.
inline constexpr int kMaxLeadingTags = 1000;
std::int64_t leading_tags_end(SourceReader& source) noexcept;

// Where the tags begin that follow the recording that starts at `begin`: ID3v1, ID3v2, APE, Lyrics3. Only for formats
// that consist of frames until the end, such as MP3, where a decoder would take tags for damaged frames.
std::int64_t trailing_tags_begin(SourceReader& source, std::int64_t begin) noexcept;

}  // namespace auralis

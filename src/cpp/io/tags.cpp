#include "io/tags.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>

namespace auralis {

namespace {

constexpr std::int64_t kId3Head = 10;

constexpr std::uint64_t eight_characters(const char (&text)[9]) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i) value = value << 8 | static_cast<std::uint8_t>(text[i]);
    return value;
}

// Whether a recording that begins like this consists of frames until the end of the file.
bool is_made_of_frames(SourceReader& source, std::int64_t begin) noexcept {
    constexpr std::array<std::uint32_t, 6> kMarkers{four_characters("fLaC"), four_characters("wvpk"),
                                                    four_characters("TTA1"), four_characters("MAC "),
                                                    four_characters("MPCK"), four_characters("tBaK")};
    constexpr std::uint32_t kMpegSync = 0xffe0, kAc3Sync = 0x0b77, kMusepack7 = four_characters("MP+\0") >> 8;
    const std::uint32_t marker = source.big_endian<4>(begin);
    return (marker >> 16 & kMpegSync) == kMpegSync || marker >> 16 == kAc3Sync || marker >> 8 == kMusepack7 ||
           std::ranges::find(kMarkers, marker) != kMarkers.end();
}

// The first offset from `from` on of three characters where a tag begins that ends at `end`, or `end`.
template <class TagEnd>
std::int64_t find_tag(SourceReader& source, std::uint32_t text, std::int64_t from, std::int64_t end,
                      TagEnd tag_end) noexcept {
    std::array<std::uint8_t, 16 * 1024> block{};
    const std::array characters{static_cast<std::uint8_t>(text >> 16), static_cast<std::uint8_t>(text >> 8),
                                static_cast<std::uint8_t>(text)};
    // Blocks overlap by two bytes.
    for (std::int64_t at = from; end - at > 2; at += static_cast<std::int64_t>(block.size()) - 2) {
        const auto wanted = std::min(end - at, static_cast<std::int64_t>(block.size()));
        const std::int64_t n = source.read(at, std::span(block).first(static_cast<std::size_t>(wanted)));
        for (auto rest = std::span(block).first(static_cast<std::size_t>(n));;) {
            const void* found = std::memchr(rest.data(), characters[0], rest.size());
            if (found == nullptr) break;
            rest = rest.subspan(static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - rest.data()));
            const std::int64_t begin = at + (rest.data() - block.data());
            if (rest.size() > 2 && rest[1] == characters[1] && rest[2] == characters[2] && tag_end(begin) == end)
                return begin;
            rest = rest.subspan(1);
        }
    }
    return end;
}

// --- each returns where the tag begins that ends at `end`, or `end` ----------------------------------------------

std::int64_t ape_begin(SourceReader& source, std::int64_t end) noexcept {
    // APEv1, APEv2: a footer of 32 bytes, whose size counts the items and itself; APEv2 may have a header like it.
    constexpr std::uint64_t kPreamble = eight_characters("APETAGEX");
    constexpr std::int64_t kFooter = 32, kSize = 12, kFlags = 20;
    constexpr std::uint32_t kIsHeader = 1U << 29;
    if (source.big_endian<8>(end - kFooter) != kPreamble) return end;
    const std::int64_t size = source.little_endian<4>(end - kFooter + kSize);
    if (size < kFooter) return end;
    const std::int64_t items = end - size, header = items - kFooter;
    const bool has_header =
        source.big_endian<8>(header) == kPreamble && (source.little_endian<4>(header + kFlags) & kIsHeader) != 0;
    return has_header ? header : items;
}

std::int64_t lyrics_begin(SourceReader& source, std::int64_t end) noexcept {
    constexpr std::uint64_t kBegin = eight_characters("LYRICSBE");
    // Lyrics3 2.00: the fields, six digits that count these, and the end mark.
    if (source.big_endian<8>(end - 9) == eight_characters("LYRICS20")) {
        std::int64_t size = 0;
        for (std::int64_t at = end - 15; at < end - 9; ++at) size = size * 10 + (source.big_endian<1>(at) - '0');
        const std::int64_t begin = end - 15 - size;
        return source.big_endian<8>(begin) == kBegin ? begin : end;
    }
    // Lyrics3 1.00: at most 5100 characters between two marks.
    if (source.big_endian<8>(end - 9) != eight_characters("LYRICSEN")) return end;
    return find_tag(source, kBegin >> 40, std::max<std::int64_t>(0, end - 5120), end,
                    [&](std::int64_t at) { return source.big_endian<8>(at) == kBegin ? end : at; });
}

std::int64_t id3v1_begin(SourceReader& source, std::int64_t end) noexcept {
    constexpr std::uint32_t kTag = 0x544147;
    constexpr std::int64_t kSize = 128, kEnhancedSize = 227;
    if (source.big_endian<3>(end - kSize) != kTag) return end;
    const std::int64_t enhanced = end - kSize - kEnhancedSize;
    return source.big_endian<4>(enhanced) == four_characters("TAG+") ? enhanced : end - kSize;
}

std::int64_t id3v2_begin(SourceReader& source, std::int64_t from, std::int64_t end) noexcept {
    // Only version 4 has a footer, by which it is found: ID3v2.4.0, 3.4. Others are searched for, as far back as tags
    // with cover art reach.
    constexpr std::int64_t kMaxSearch = 1 << 20;
    const std::int64_t begin = end - 2 * kId3Head - synchsafe(source.big_endian<4>(end - 4));
    if (source.big_endian<3>(end - kId3Head) == 0x334449 && id3v2_end(source, begin) == end) return begin;
    return find_tag(source, kId3, std::max(from, end - kMaxSearch), end,
                    [&](std::int64_t at) { return id3v2_end(source, at); });
}

}  // namespace

std::int64_t id3v2_end(SourceReader& source, std::int64_t at) noexcept {
    // ID3v2.4.0, 3.1.
    constexpr std::uint32_t kHasFooter = 0x10;
    const std::uint32_t size = source.big_endian<4>(at + 6);
    if (at + kId3Head > source.size() || source.big_endian<3>(at) != kId3) return at;
    if (source.big_endian<1>(at + 3) == 0xff || source.big_endian<1>(at + 4) == 0xff || (size & 0x8080'8080) != 0)
        return at;
    const bool footer = (source.big_endian<1>(at + 5) & kHasFooter) != 0;
    return at + kId3Head + synchsafe(size) + (footer ? kId3Head : 0);
}

std::int64_t leading_tags_end(SourceReader& source) noexcept {
    std::int64_t at = 0;
    for (int tags = 0; tags < kMaxLeadingTags; ++tags) {
        const std::int64_t end = id3v2_end(source, at);
        if (end == at) break;
        at = end;
    }
    return at;
}

std::int64_t trailing_tags_begin(SourceReader& source, std::int64_t begin) noexcept {
    std::int64_t end = source.size();
    if (!is_made_of_frames(source, begin)) return end;
    constexpr int kMaxTrailingTags = 16;
    for (int tags = 0; tags < kMaxTrailingTags; ++tags) {
        std::int64_t at = ape_begin(source, end);
        if (at == end) at = lyrics_begin(source, end);
        if (at == end) at = id3v1_begin(source, end);
        if (at == end) at = id3v2_begin(source, begin, end);
        if (at == end || at <= begin) break;
        end = at;
    }
    return end;
}

}  // namespace auralis

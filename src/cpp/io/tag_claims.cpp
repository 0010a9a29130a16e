#include "io/tag_claims.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>

namespace auralis {

namespace {

std::int64_t big_endian_24(const std::uint8_t* b) { return b[0] << 16 | b[1] << 8 | b[2]; }

std::int64_t little_endian_32(const std::array<std::uint8_t, 4>& b) {
    return std::int64_t{b[3]} << 24 | b[2] << 16 | b[1] << 8 | b[0];
}

}  // namespace

std::int64_t flac_comments(MediaSource& source, std::int64_t start) noexcept {
    // Metadata blocks: RFC 9639, 8. Vorbis comments: a vendor string, their number, then one after the other.
    constexpr int kMaxBlocks = 10'000;
    constexpr std::uint8_t kLastBlock = 0x80, kVorbisComment = 4;
    constexpr std::array<std::uint8_t, 4> kMarker{'f', 'L', 'a', 'C'};
    std::array<std::uint8_t, 4> four{};
    if (source.read_at(start, four) != 4 || four != kMarker) return 0;
    std::int64_t comments = 0;
    std::int64_t at = start + 4;
    for (int blocks = 0; blocks < kMaxBlocks && source.read_at(at, four) == 4; ++blocks) {
        const bool last = (four[0] & kLastBlock) != 0;
        const bool comment = (four[0] & ~kLastBlock) == kVorbisComment;
        const std::int64_t end = at + 4 + big_endian_24(&four[1]);
        if (comment && source.read_at(at + 4, four) == 4) {
            const std::int64_t count_at = at + 8 + little_endian_32(four);
            // Each takes four bytes at least.
            if (count_at + 4 <= end && source.read_at(count_at, four) == 4)
                comments += std::min(little_endian_32(four), (end - count_at) / 4);
        }
        if (last) return comments;
        at = end;
    }
    // The file ends within its metadata, or each of endless blocks may hold comments.
    return source.read_at(at, four) == 4 ? std::numeric_limits<std::int64_t>::max() : comments;
}

void TagMarks::look_at(std::span<const std::uint8_t> bytes) noexcept {
    constexpr std::uint8_t kSimpleTagHigh = 0x67, kSimpleTagLow = 0xc8;
    for (const std::uint8_t byte : bytes) {
        equals_signs_ += byte == '=' ? 1 : 0;
        simple_tags_ += last_ == kSimpleTagHigh && byte == kSimpleTagLow ? 1 : 0;
        last_ = byte;
    }
}

}  // namespace auralis

#include "io/container_guard.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>

#include "base/limits.h"
#include "io/matroska_tracks.h"
#include "io/tags.h"

namespace auralis {

namespace {

// Identifiers of four bytes.
constexpr std::uint32_t kFlac = four_characters("fLaC");
constexpr std::uint32_t kMp4CompressedMovie = four_characters("cmov");
constexpr std::uint32_t kMp4ImmersiveAudio = four_characters("iacb");
constexpr std::uint32_t kMp4ItemProperties = four_characters("iprp");
constexpr std::uint32_t kMp4EditList = four_characters("elst");
constexpr std::uint32_t kMp4Fragment = four_characters("moof");
constexpr std::uint32_t kMp4SegmentIndex = four_characters("sidx");
constexpr std::uint32_t kOggPage = four_characters("OggS");
constexpr std::uint32_t kEbml = 0x1a45dfa3;
constexpr std::uint32_t kMatroskaTracks = 0x1654ae6b;
// Other children of a Matroska Segment: RFC 9559, 5.1. With the last bit inverted, each becomes an identifier that is
// not assigned, and FFmpeg skips an element that it does not know.
constexpr std::array<std::uint32_t, 4> kUnneededElements{0x1c53bb6b,   // Cues
                                                         0x1043a770,   // Chapters
                                                         0x1941a469,   // Attachments
                                                         0x1254c367};  // Tags
// FFmpeg skips an ID3v2 tag of a version that it does not know.
constexpr std::uint8_t kUnknownId3Version = 0xfe;

constexpr std::int64_t kEndless = std::numeric_limits<std::int32_t>::max();

// --- FLAC ------------------------------------------------------------------------------------------------------

// Number of comments that the metadata blocks behind the marker at `marker` claim to hold.
std::int64_t count_flac_comments(SourceReader& source, std::int64_t marker) noexcept {
    // Metadata blocks: RFC 9639, 8. Vorbis comments: a vendor string, the number of comments, then the comments.
    constexpr int kMaxBlocks = 10'000;
    constexpr std::uint32_t kVorbisComment = 4;
    std::int64_t comments = 0;
    std::int64_t at = marker + 4;
    for (int blocks = 0; blocks < kMaxBlocks; ++blocks) {
        if (at >= source.size()) return comments;
        const std::uint32_t header = source.big_endian<4>(at);
        const bool last = header >> 31 != 0;
        const std::uint32_t type = header >> 24 & 0x7f;
        const std::int64_t end = at + 4 + (header & 0xff'ffff);
        if (type == kVorbisComment) {
            const std::int64_t count_at = at + 8 + source.little_endian<4>(at + 4);
            // Each takes four bytes at least.
            if (count_at + 4 <= end)
                comments += std::min<std::int64_t>(source.little_endian<4>(count_at), (end - count_at) / 4);
        }
        if (last) return comments;
        at = end;
    }
    return kEndless;  // there may be any number of blocks, each with comments
}

// --- MP4 -------------------------------------------------------------------------------------------------------

// Whether `name` is that of a box which FFmpeg would read into memory and parse there: the name may stand there by
// chance, but not with the content that FFmpeg expects. The size may be behind the name.
bool is_read_from_memory(SourceReader& source, std::uint32_t name, std::int64_t at) noexcept {
    const auto begins_with = [&](std::uint32_t box) {
        return source.big_endian<4>(at + 8) == box || source.big_endian<4>(at + 16) == box;
    };
    switch (name) {
        case kMp4CompressedMovie: return begins_with(four_characters("dcom"));
        case kMp4ItemProperties: return begins_with(four_characters("ipco"));
        case kMp4ImmersiveAudio: return source.big_endian<1>(at + 4) == 1 || source.big_endian<1>(at + 12) == 1;
        default: return false;
    }
}

// Edits of the list whose identifier is at `name`, behind the size of its box: ISO/IEC 14496-12, 8.6.6. FFmpeg believes
// the size rather than the number.
std::int64_t count_mp4_edits(SourceReader& source, std::int64_t name) noexcept {
    constexpr std::uint32_t kShortestEdit = 12;
    const std::uint32_t size = source.big_endian<4>(name - 4);
    const bool written_elsewhere = size <= 1;
    return written_elsewhere ? kEndless : size / kShortestEdit;
}

// References of a segment index: ISO/IEC 14496-12, 8.16.3.
std::int64_t count_mp4_references(SourceReader& source, std::int64_t name) noexcept {
    const bool long_times = source.big_endian<1>(name + 4) != 0;
    return source.big_endian<2>(name + (long_times ? 34 : 26));
}

// --- Ogg -------------------------------------------------------------------------------------------------------

// Whether the page is the first one of a logical stream: RFC 3533, 6.
bool begins_ogg_stream(SourceReader& source, std::int64_t page) noexcept {
    constexpr std::uint32_t kFirstPage = 2;
    return (source.big_endian<1>(page + 5) & kFirstPage) != 0;
}

}  // namespace

ContainerGuard::ContainerGuard(MediaSource& source, Interrupt& interrupt) : source_(source, interrupt) {
    const std::uint32_t marker = source_.big_endian<4>(0);
    matroska_ = marker == kEbml;
    if (marker == kFlac) flac_comments_ = count_flac_comments(source_, 0);
}

void ContainerGuard::pass(std::int64_t offset, std::span<std::uint8_t> bytes, bool opening) noexcept {
    // The last four bytes: an identifier may begin before these bytes.
    std::uint32_t last = offset < 3 ? 0 : source_.big_endian<3>(offset - 3);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        std::uint8_t& byte = bytes[i];
        last = last << 8 | byte;
        const std::int64_t begin = offset + static_cast<std::int64_t>(i) - 3;
        if (last == kOggPage && begins_ogg_stream(source_, begin)) ogg_stream_ = begin;
        if (ogg_stream_ && byte == '=') ++equals_signs_;
        if (last >> 8 == kId3 && byte >= 2 && byte <= 4 && id3v2_end(source_, begin) != begin)
            byte = kUnknownId3Version;
        if (is_read_from_memory(source_, last, begin)) byte = '?';
        if (last == kMp4Fragment) ++mp4_fragments_;
        if (last == kMp4SegmentIndex) mp4_fragments_ += count_mp4_references(source_, begin);
        if (last == kMp4EditList) mp4_edits_ += count_mp4_edits(source_, begin);
        if (!opening || !matroska_) continue;
        // At least one, so that a file full of identifiers reaches the limit.
        if (last == kFlac) flac_comments_ += 1 + count_flac_comments(source_, begin);
        if (last == kMatroskaTracks) find_matroska_tracks(source_, begin, matroska_tracks_);
        if (matroska_tracks_.is_hidden(begin + 3)) byte = MatroskaTracks::kHidden;
        if (std::ranges::find(kUnneededElements, last) != kUnneededElements.end()) byte ^= 1;
    }
}

void ContainerGuard::forget_ogg_comments(std::int64_t offset) noexcept {
    if (!ogg_stream_ || *ogg_stream_ >= offset) return;
    ogg_stream_.reset();
    equals_signs_ = 0;
}

}  // namespace auralis

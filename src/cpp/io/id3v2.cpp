#include "io/id3v2.h"

#include <algorithm>

namespace auralis {

namespace {

constexpr std::int64_t kHeader = 10;

// Whether a frame, or padding, can begin with these bytes.
bool is_frame_id(std::uint32_t id) {
    for (std::uint32_t rest = id; rest != 0; rest >>= 8) {
        const std::uint32_t c = rest & 0xff;
        if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9')) return false;
    }
    return id == 0 || id >> 24 != 0;
}

}  // namespace

std::optional<Id3v2Header> id3v2_header(SourceReader& source, std::int64_t at) noexcept {
    constexpr std::uint32_t kFooter = 0x10;
    if (at + kHeader > source.size() || source.big_endian<3>(at) != kId3) return std::nullopt;
    const std::uint32_t size = source.big_endian<4>(at + 6);
    Id3v2Header tag;
    tag.version = source.big_endian<1>(at + 3);
    tag.flags = source.big_endian<1>(at + 5);
    if (tag.version == 0xff || source.big_endian<1>(at + 4) == 0xff || (size & 0x8080'8080) != 0) return std::nullopt;
    tag.frames = at + kHeader;
    tag.frames_end = tag.frames + synchsafe(size);
    tag.end = tag.frames_end + ((tag.flags & kFooter) != 0 ? kHeader : 0);
    return tag;
}

std::int64_t id3v2_tags_end(SourceReader& source, std::int64_t at) noexcept {
    constexpr int kMaxTags = 1000;
    for (int tags = 0; tags < kMaxTags; ++tags) {
        const auto tag = id3v2_header(source, at);
        if (!tag) break;
        at = tag->end;
    }
    return at;
}

std::int64_t count_id3v2_frames(SourceReader& source, const Id3v2Header& tag, std::int64_t most) noexcept {
    // ID3v2.2.0, 3.2; ID3v2.3.0, 3.2 and 3.3; ID3v2.4.0, 3.2 and 4.
    constexpr std::uint32_t kExtendedHeader = 0x40;
    const std::int64_t header = tag.version == 2 ? 6 : kHeader;
    std::int64_t at = tag.frames;
    if (tag.version > 2 && (tag.flags & kExtendedHeader) != 0)
        at += synchsafe(source.big_endian<4>(at)) + (tag.version == 4 ? 0 : 4);
    const std::int64_t end = std::min(tag.frames_end, source.size());
    std::int64_t frames = 0;
    while (frames < most && at + header <= end) {
        std::int64_t size = tag.version == 2 ? source.big_endian<3>(at + 3) : source.big_endian<4>(at + 4);
        if (tag.version == 4) {  // some programs write its sizes like those of version 3
            const std::int64_t short_size = synchsafe(static_cast<std::uint32_t>(size));
            if (size >= tag.frames_end - at || is_frame_id(source.big_endian<4>(at + header + short_size)))
                size = short_size;
        }
        at += header + size;
        ++frames;
    }
    return frames;
}

}  // namespace auralis

#include "io/matroska_tracks.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <span>

namespace auralis {

namespace {

// Identifiers, with their length markers: RFC 9559, 5.1.4.
constexpr std::uint32_t kCluster = 0x1f43b675;
constexpr std::uint32_t kTrackEntry = 0xae;
constexpr std::uint32_t kTrackType = 0x83;
constexpr std::uint32_t kContentEncodings = 0x6d80;
constexpr std::uint32_t kContentEncoding = 0x6240;
constexpr std::uint32_t kContentCompression = 0x5034;
constexpr std::uint32_t kContentCompressionAlgorithm = 0x4254;

// Of a Tracks element without a size, which goes on until the packets begin.
constexpr std::int64_t kUnknownEnd = std::numeric_limits<std::int64_t>::max();

constexpr std::uint64_t kAudio = 2;
constexpr std::uint64_t kHeaderStripping = 3;

// An EBML number, whose first byte says how many bytes it has: RFC 8794, 4.
struct Number {
    std::int64_t value = 0;
    int bytes = 0;         // 0: there is none
    bool unknown = false;  // of a size: the element goes on until another one cannot be part of it
};

Number number_at(SourceReader& source, std::int64_t at) noexcept {
    const int bytes = std::countl_zero(static_cast<std::uint8_t>(source.big_endian<1>(at))) + 1;
    if (bytes > 8 || at >= source.size()) return {};
    const std::uint64_t most = (std::uint64_t{1} << 7 * bytes) - 1;
    const std::uint64_t value = source.big_endian<8>(at) >> (64 - 8 * bytes) & most;
    return {static_cast<std::int64_t>(value), bytes, value == most};
}

struct Element {
    std::uint32_t id = 0;
    std::int64_t at = 0;  // of the identifier
    std::int64_t begin = 0;
    std::int64_t end = 0;
};

// Passes the elements between two offsets (the second may be a false claim) to `visit`, up to a damaged one, where
// FFmpeg stops as well. False if there may be others: because of an unknown size, or because there are too many.
// `elements` counts them for the whole file.
template <class Visit>
bool for_each_element(SourceReader& source, std::int64_t at, std::int64_t end, std::int64_t& elements,
                      Visit visit) noexcept {
    // 64 tracks have 3'000 or so.
    constexpr std::int64_t kMaxElements = 20'000;
    for (; at < end; ++elements) {
        const Number number = number_at(source, at);
        if (number.bytes == 0 || number.bytes > 4) return true;
        const auto id = static_cast<std::uint32_t>(number.value) | 1U << 7 * number.bytes;
        if (end == kUnknownEnd && id == kCluster) return true;
        const Number size = number_at(source, at + number.bytes);
        const std::int64_t begin = at + number.bytes + size.bytes;
        if (elements >= kMaxElements || size.unknown) return false;
        if (size.bytes == 0 || size.value > end - begin) return true;
        visit(Element{id, at, begin, begin + size.value});
        at = begin + size.value;
    }
    return true;
}

// Its number; 0 if it is missing or too long, as in FFmpeg.
std::uint64_t unsigned_at(SourceReader& source, const Element& element) noexcept {
    if (element.end - element.begin > 8) return 0;
    std::uint64_t value = 0;
    for (std::int64_t at = element.begin; at < element.end; ++at) value = value << 8 | source.big_endian<1>(at);
    return value;
}

// Whether the "compression" only removed what all packets begin with, which cannot make them much longer than they are
// in the file. If the method is missing, it is zlib.
bool only_strips_headers(SourceReader& source, const Element& encodings, std::int64_t& elements) noexcept {
    bool only = true;
    const auto encoding = [&](const Element& element) {
        if (element.id != kContentEncoding) return;
        bool strips = false;
        const auto compression = [&](const Element& child) {
            if (child.id != kContentCompression) return;
            std::uint64_t algorithm = 0;
            only &= for_each_element(source, child.begin, child.end, elements, [&](const Element& setting) {
                if (setting.id == kContentCompressionAlgorithm) algorithm = unsigned_at(source, setting);
            });
            strips = algorithm == kHeaderStripping;
        };
        only &= for_each_element(source, element.begin, element.end, elements, compression) && strips;
    };
    return for_each_element(source, encodings.begin, encodings.end, elements, encoding) && only;
}

void look_at_track(SourceReader& source, const Element& entry, MatroskaTracks& tracks) noexcept {
    bool audio = false, compressed = false;
    const bool whole = for_each_element(source, entry.begin, entry.end, tracks.elements, [&](const Element& child) {
        if (child.id == kTrackType && unsigned_at(source, child) == kAudio) audio = true;
        if (child.id != kContentEncodings || only_strips_headers(source, child, tracks.elements)) return;
        compressed = true;
        const std::int64_t last_byte = child.at + 1;
        if (tracks.is_hidden(last_byte)) return;
        if (tracks.hidden_count == tracks.hidden.size())
            tracks.compressed_audio = true;  // too many to be hidden
        else
            tracks.hidden[tracks.hidden_count++] = last_byte;
    });
    if ((audio && compressed) || !whole) tracks.compressed_audio = true;
}

}  // namespace

bool MatroskaTracks::is_hidden(std::int64_t offset) const noexcept {
    const auto used = std::span(hidden).first(hidden_count);
    return std::ranges::find(used, offset) != used.end();
}

void find_matroska_tracks(SourceReader& source, std::int64_t element, MatroskaTracks& tracks) noexcept {
    constexpr std::int64_t kEndless = std::numeric_limits<std::int32_t>::max();
    ++tracks.entries;  // so that endless elements reach the limit
    const Number size = number_at(source, element + 4);
    const std::int64_t begin = element + 4 + size.bytes;
    const std::int64_t end = size.unknown ? kUnknownEnd : begin + size.value;
    const bool whole = for_each_element(source, begin, end, tracks.elements, [&](const Element& child) {
        if (child.id != kTrackEntry) return;
        ++tracks.entries;
        look_at_track(source, child, tracks);
    });
    if (!whole) tracks.entries += kEndless;
}

}  // namespace auralis

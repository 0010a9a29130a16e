#include "io/declared_length.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <span>
#include <string_view>
#include <system_error>
#include <vector>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
}

#include "base/error.h"
#include "io/source_reader.h"

namespace auralis {

namespace {

// Chunks and bytes of a header after which the search is given up.
constexpr int kMaxChunks = 1000;
constexpr std::size_t kMaxAsfHeader = std::size_t{64} * 1024;

// The chunks of RIFF, RF64 and Wave64 differ in the width of their head and in what their size counts.
struct ChunkFormat {
    std::int64_t first;    // of the first chunk, from the start of the file
    std::int64_t id;       // bytes of the name, of which the first four tell
    std::int64_t size;     // bytes of the size
    std::int64_t counted;  // bytes of the head that the size includes
    std::int64_t align;
};
constexpr ChunkFormat kRiff{12, 4, 4, 0, 2};
constexpr ChunkFormat kWave64{40, 16, 8, 24, 8};

// Bytes of audio in WAV, RF64 or Wave64; nothing if the writer did not know.
std::optional<double> wave_data_bytes(MediaSource& source, Interrupt& interrupt) {
    // A writer that did not know the length left 0, or nearly the largest number that fits.
    constexpr std::uint64_t kUnknownFrom = 0x7fff'0000;
    SourceReader reader(source, interrupt);
    const std::uint32_t form = reader.big_endian<4>(0);
    const bool riff = form == four_characters("RIFF");
    const bool rf64 = form == four_characters("RF64");
    const ChunkFormat& format = riff || rf64 ? kRiff : kWave64;
    const std::int64_t head = format.id + format.size;
    std::uint64_t long_size = 0;  // RF64 has the true size in a chunk of its own
    std::int64_t at = format.first;
    for (int chunk = 0; chunk < kMaxChunks && at < source.size(); ++chunk) {
        const std::uint32_t id = reader.big_endian<4>(at);
        std::uint64_t size =
            format.size == 4 ? reader.little_endian<4>(at + format.id) : reader.little_endian<8>(at + format.id);
        if (id == four_characters("ds64")) long_size = reader.little_endian<8>(at + head + 8);
        if (id == four_characters("data")) {
            if (rf64) size = long_size;
            if (!riff && !rf64) size -= std::min<std::uint64_t>(size, static_cast<std::uint64_t>(format.counted));
            const bool known = size > 0 && (!riff || size < kUnknownFrom) && size < std::uint64_t{1} << 60;
            return known ? std::optional(static_cast<double>(size)) : std::nullopt;
        }
        if (size > static_cast<std::uint64_t>(source.size())) break;
        const std::int64_t length = head - format.counted + static_cast<std::int64_t>(size);
        at += std::max(head, (length + format.align - 1) / format.align * format.align);
    }
    return std::nullopt;
}

// Seconds of an ASF file (WMA).
std::optional<double> asf_seconds(MediaSource& source, Interrupt& interrupt) {
    // The file properties object: ASF specification, 3.2.
    constexpr std::array<std::uint8_t, 16> kFileProperties{0xa1, 0xdc, 0xab, 0x8c, 0x47, 0xa9, 0xcf, 0x11,
                                                           0x8e, 0xe4, 0x00, 0xc0, 0x0c, 0x20, 0x53, 0x65};
    constexpr std::int64_t kPlayTime = 64, kPreroll = 80, kFlags = 88, kEnd = 92;
    std::vector<std::uint8_t> bytes(kMaxAsfHeader);
    const std::int64_t n = source.read_at(0, bytes);
    if (n <= 0) return std::nullopt;
    bytes.resize(static_cast<std::size_t>(n));
    const auto found = std::ranges::search(bytes, kFileProperties);
    if (bytes.end() - found.begin() < kEnd) return std::nullopt;
    SourceReader reader(source, interrupt);
    const std::int64_t object = found.begin() - bytes.begin();
    const bool broadcast = (reader.little_endian<4>(object + kFlags) & 1) != 0;
    const double play_time_s = static_cast<double>(reader.little_endian<8>(object + kPlayTime)) * 1e-7;
    const double preroll_s = static_cast<double>(reader.little_endian<8>(object + kPreroll)) * 1e-3;
    if (broadcast || !(play_time_s > preroll_s)) return std::nullopt;
    return play_time_s - preroll_s;
}

// Whether only this stream has a length; pictures have none.
bool alone(const AVFormatContext& container, const AVStream& stream) {
    for (unsigned i = 0; i < container.nb_streams; ++i) {
        const AVStream& other = *container.streams[i];
        const bool picture = (other.disposition & AV_DISPOSITION_ATTACHED_PIC) != 0;
        const auto type = other.codecpar->codec_type;
        if (&other != &stream && !picture && (type == AVMEDIA_TYPE_AUDIO || type == AVMEDIA_TYPE_VIDEO)) return false;
    }
    return true;
}

}  // namespace

std::optional<double> declared_seconds(const AVFormatContext& container, const AVStream& stream, MediaSource& source,
                                       Interrupt& interrupt) {
    const std::string_view name = container.iformat->name;
    const AVCodecParameters& codec = *stream.codecpar;
    if (name == "ogg") return std::nullopt;  // FFmpeg returns the time stamp of the last page that the file still has
    if (stream.duration > 0) return static_cast<double>(stream.duration) * av_q2d(stream.time_base);
    if (container.duration > 0 && alone(container, stream))
        return static_cast<double>(container.duration) / AV_TIME_BASE;
    // If a file is shorter than its header says, FFmpeg drops the length that these containers declare.
    const double bits = static_cast<double>(av_get_bits_per_sample(codec.codec_id)) * codec.ch_layout.nb_channels;
    if ((name == "wav" || name == "w64") && bits > 0 && codec.sample_rate > 0) {
        if (const auto bytes = wave_data_bytes(source, interrupt)) return *bytes * 8 / bits / codec.sample_rate;
    }
    if (name == "asf") return asf_seconds(source, interrupt);
    if (name == "caf" && stream.nb_frames > 0 && codec.sample_rate > 0)  // which are samples, for PCM
        return static_cast<double>(stream.nb_frames) / codec.sample_rate;
    return std::nullopt;
}

bool ogg_end_is_missing(MediaSource& source) {
    // The page header: RFC 3533, 6.
    constexpr std::size_t kFlags = 5, kSegments = 26, kHeader = 27, kMostSegments = 255;
    constexpr std::size_t kLargestPage = kHeader + kMostSegments + kMostSegments * 255;
    constexpr std::uint8_t kEndOfStream = 4;
    constexpr std::array<std::uint8_t, 5> kCapture{'O', 'g', 'g', 'S', 0};
    // Twice a page, since the file may end in half a page, or in a tag.
    const std::int64_t from = std::max<std::int64_t>(0, source.size() - static_cast<std::int64_t>(2 * kLargestPage));
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(source.size() - from));
    const std::int64_t n = source.read_at(from, bytes);
    if (n < 0)
        throw AnalysisError(ErrorKind::Unreadable, Stage::decode,
                            std::generic_category().message(static_cast<int>(-n)));
    bytes.resize(static_cast<std::size_t>(n));
    const auto last = std::ranges::find_end(bytes, kCapture);
    const std::span page(last.begin(), bytes.end());
    if (page.size() < kHeader || page.size() < kHeader + page[kSegments]) return true;
    const auto lacing = page.subspan(kHeader, page[kSegments]);
    const auto body = std::accumulate(lacing.begin(), lacing.end(), std::size_t{0});
    return (page[kFlags] & kEndOfStream) == 0 || page.size() < kHeader + lacing.size() + body;
}

}  // namespace auralis

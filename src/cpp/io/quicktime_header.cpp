#include "io/quicktime_header.h"

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <new>
#include <optional>
#include <span>
#include <string>

#include "base/limits.h"
#include "io/source_reader.h"

namespace auralis {

namespace {

constexpr std::int64_t kBoxHead = 8;

// ISO/IEC 14496-12, 4.2.
struct Box {
    std::uint32_t name;
    std::int64_t begin;
    std::int64_t content;
    std::int64_t end;
};

std::optional<Box> box_at(SourceReader& reader, std::int64_t at, std::int64_t parent_end) noexcept {
    std::uint64_t size = reader.big_endian<4>(at);
    const std::int64_t head = size == 1 ? 2 * kBoxHead : kBoxHead;
    if (size == 1) size = reader.big_endian<8>(at + kBoxHead);
    const auto rest = static_cast<std::uint64_t>(parent_end - at);
    if (size == 0 || size > rest) size = rest;
    if (size < static_cast<std::uint64_t>(head)) return std::nullopt;
    return Box{reader.big_endian<4>(at + 4), at, at + head, at + static_cast<std::int64_t>(size)};
}

// The first box of this name between two offsets.
std::optional<Box> find_box(SourceReader& reader, std::uint32_t name, std::int64_t at, std::int64_t end) noexcept {
    constexpr int kMaxBoxes = 100;
    for (int boxes = 0; boxes < kMaxBoxes; ++boxes) {
        const auto box = box_at(reader, at, end);
        if (!box || box->name == name) return box;
        at = box->end;
    }
    return std::nullopt;
}

class Inflater {
public:
    Inflater() {
        if (inflateInit(&stream_) != Z_OK) throw std::bad_alloc();
    }
    ~Inflater() { inflateEnd(&stream_); }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;

    // Inflates what is compressed from `at` on and appends it to `to`, up to `most` bytes; whether the end was reached.
    bool run(SourceReader& source, std::int64_t at, std::vector<std::uint8_t>& to, std::size_t most) {
        std::array<std::uint8_t, std::size_t{16} * 1024> in{};
        std::array<std::uint8_t, std::size_t{64} * 1024> out{};
        while (true) {
            source.check(Stage::probe);
            if (stream_.avail_in == 0) {
                const std::int64_t n = source.read(at, in);
                if (n == 0) break;
                at += n;
                stream_.next_in = in.data();
                stream_.avail_in = static_cast<uInt>(n);
            }
            stream_.next_out = out.data();
            stream_.avail_out = static_cast<uInt>(out.size());
            const int status = inflate(&stream_, Z_NO_FLUSH);
            const std::size_t n = out.size() - stream_.avail_out;
            if ((status != Z_OK && status != Z_STREAM_END) || n > most - to.size()) return false;
            to.insert(to.end(), out.data(), out.data() + n);
            if (status == Z_STREAM_END) return true;
        }
        source.check(Stage::probe);
        return false;
    }

private:
    z_stream stream_{};
};

void write_big_endian(std::uint64_t value, std::span<std::uint8_t> to) {
    for (std::size_t i = to.size(); i-- > 0; value >>= 8) to[i] = static_cast<std::uint8_t>(value);
}

void write_name(const char (&name)[5], std::span<std::uint8_t> to) { write_big_endian(four_characters(name), to); }

}  // namespace

QuickTimeHeader inflate_quicktime_header(MediaSource& recording, Interrupt& interrupt) {
    SourceReader reader(recording, interrupt);
    const auto moov = find_box(reader, four_characters("moov"), 0, recording.size());
    reader.check(Stage::probe);
    if (!moov) return {};
    const auto cmov = find_box(reader, four_characters("cmov"), moov->content, moov->end);
    // Inside: the method, in a box of 12 bytes; a box with the inflated length and the compressed data.
    if (!cmov || reader.big_endian<4>(cmov->content + 4) != four_characters("dcom") ||
        reader.big_endian<4>(cmov->content + 8) != four_characters("zlib") ||
        reader.big_endian<4>(cmov->content + 16) != four_characters("cmvd"))
        return {};
    const std::int64_t plain = reader.big_endian<4>(cmov->content + 20);
    if (plain > limits::kMaxHeaderBytes)
        throw AnalysisError(
            ErrorKind::ResourceLimit, Stage::probe,
            "a compressed header of more than " + std::to_string(limits::kMaxHeaderBytes >> 20) + " MB");
    QuickTimeHeader header;
    header.movie.reserve(static_cast<std::size_t>(kBoxHead + plain));
    header.movie.resize(kBoxHead);
    if (!Inflater().run(reader, cmov->content + 24, header.movie, static_cast<std::size_t>(kBoxHead + plain)))
        return {};
    const std::span movie(header.movie);
    write_big_endian(movie.size(), movie.first(4));
    write_name("moov", movie.subspan(4, 4));
    header.at = moov->begin;
    const std::span detour(header.detour);
    detour[3] = 1;  // the size is behind the name
    write_name("free", detour.subspan(4, 4));
    write_big_endian(static_cast<std::uint64_t>(recording.size() - header.at), detour.subspan(8));
    return header;
}

}  // namespace auralis

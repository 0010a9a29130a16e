// Reads numbers from a source of bytes, in the forms that containers use.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>
#include <type_traits>

#include "base/error.h"
#include "base/interrupt.h"
#include "io/media_source.h"

namespace auralis {

// Identifier of four bytes, e.g. four_characters("RIFF"), as big_endian<4>() reads it.
constexpr std::uint32_t four_characters(const char (&text)[5]) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<std::uint8_t>(text[i]);
    return value;
}

// ID3v2.4.0, 6.2: seven bits of each byte.
constexpr std::int64_t synchsafe(std::uint32_t v) {
    return (v & 0x7f) | (v >> 1 & 0x3f80) | (v >> 2 & 0x1f'c000) | (v >> 3 & 0xfe0'0000);
}

// Bytes beyond the ends of the source are 0. Remembers a read that failed, and reads nothing more when it is time to
// stop: what goes through a source by its own numbers can be made to go on for ever.
class SourceReader {
public:
    // Both must outlive the reader.
    SourceReader(MediaSource& source, Interrupt& interrupt) : source_(source), interrupt_(interrupt) {}

    // At most an exabyte, so that the sum of two places within the source fits into 64 bits.
    std::int64_t size() const noexcept { return std::min(source_.size(), std::int64_t{1} << 60); }
    int error() const noexcept { return error_; }  // errno, or 0

    // Throws when it is time to stop, or Unreadable if a read failed.
    void check(Stage stage) const {
        interrupt_.poll(stage);
        if (error_ != 0) throw AnalysisError(ErrorKind::Unreadable, stage, std::generic_category().message(error_));
    }

    template <std::size_t kBytes>
    using Unsigned = std::conditional_t<(kBytes > 4), std::uint64_t, std::uint32_t>;

    template <std::size_t kBytes>
    Unsigned<kBytes> big_endian(std::int64_t offset) noexcept {
        Unsigned<kBytes> value = 0;
        for (const std::uint8_t byte : read<kBytes>(offset)) value = value << 8 | byte;
        return value;
    }

    template <std::size_t kBytes>
    Unsigned<kBytes> little_endian(std::int64_t offset) noexcept {
        const auto bytes = read<kBytes>(offset);
        Unsigned<kBytes> value = 0;
        for (std::size_t i = kBytes; i-- > 0;) value = value << 8 | bytes[i];
        return value;
    }

    // Bytes copied to `to`.
    std::int64_t read(std::int64_t offset, std::span<std::uint8_t> to) noexcept {
        if (offset < 0) return 0;
        const std::int64_t n = interrupt_.stop_requested() ? -ECANCELED : source_.read_at(offset, to);
        if (n < 0) error_ = static_cast<int>(-n);
        return n < 0 ? 0 : n;
    }

private:
    // Numbers are read from a piece of the source around them, since most are close to the one before.
    static constexpr std::int64_t kPieceBytes = 1024;
    static constexpr std::int64_t kInFront = kPieceBytes / 2;

    template <std::size_t kBytes>
    std::array<std::uint8_t, kBytes> read(std::int64_t offset) noexcept {
        static_assert(kBytes <= 8);
        constexpr auto kWanted = static_cast<std::int64_t>(kBytes);
        std::array<std::uint8_t, kBytes> bytes{};
        if (offset < 0) return bytes;
        if (offset < piece_at_ || offset - piece_at_ > piece_bytes_ - kWanted) {
            piece_at_ = std::max<std::int64_t>(0, offset - kInFront);
            piece_bytes_ = read(piece_at_, piece_);
        }
        const std::int64_t at = offset - piece_at_;
        const std::int64_t n = std::min(kWanted, piece_bytes_ - at);
        if (n > 0) std::copy_n(piece_.begin() + at, n, bytes.begin());
        return bytes;
    }

    MediaSource& source_;
    Interrupt& interrupt_;
    std::array<std::uint8_t, kPieceBytes> piece_{};
    std::int64_t piece_at_ = 0;
    std::int64_t piece_bytes_ = 0;
    int error_ = 0;
};

}  // namespace auralis

// Numbers of a source of bytes, as containers write them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>
#include <type_traits>

#include "base/error.h"
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

// Bytes beyond the ends of the source are 0. Remembers a read that failed.
class SourceReader {
public:
    explicit SourceReader(MediaSource& source) : source_(source) {}

    std::int64_t size() const noexcept { return source_.size(); }
    int error() const noexcept { return error_; }  // errno, or 0

    // Throws Unreadable if a read failed.
    void check(Stage stage) const {
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
        const std::int64_t n = offset < 0 ? 0 : source_.read_at(offset, to);
        if (n < 0) error_ = static_cast<int>(-n);
        return n < 0 ? 0 : n;
    }

private:
    template <std::size_t kBytes>
    std::array<std::uint8_t, kBytes> read(std::int64_t offset) noexcept {
        static_assert(kBytes <= 8);
        std::array<std::uint8_t, kBytes> bytes{};
        read(offset, bytes);
        return bytes;
    }

    MediaSource& source_;
    int error_ = 0;
};

}  // namespace auralis

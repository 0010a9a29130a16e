// Checks what FFmpeg and the guard have counted so far against what base/limits.h allows a container.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

struct AVFormatContext;

namespace auralis {

class ContainerGuard;

class ContainerLimits {
public:
    // The container whose growth is watched from now on.
    void watch(const AVFormatContext* container) { container_ = container; }

    // FFmpeg's name of the container; empty while FFmpeg is still probing.
    std::string_view format() const noexcept;

    // The headers have been read: from now on the bytes are not limited.
    void headers_end() { in_headers_ = false; }
    bool in_headers() const { return in_headers_; }

    // Whether FFmpeg may have the `bytes` that it asked for. It may have kept what it has read so far, several times
    // over.
    bool allow(std::int64_t bytes, const ContainerGuard& guard) noexcept;

    bool reached() const { return limit_ != Limit::none; }
    std::string text() const;  // which one

private:
    enum class Limit { none, header_bytes, tags, streams, compression, edits, fragments, index_entries };

    const AVFormatContext* container_ = nullptr;
    bool in_headers_ = true;
    std::int64_t bytes_read_ = 0;
    std::int64_t max_header_bytes_ = 0;
    Limit limit_ = Limit::none;
};

}  // namespace auralis

// FFmpeg's view of a MediaSource: an AVIOContext that reads and seeks there and nowhere else.
#pragma once

#include <cstdint>
#include <memory>

#include "base/interrupt.h"
#include "io/container_guard.h"
#include "io/container_limits.h"
#include "io/media_source.h"

struct AVFormatContext;
struct AVIOContext;

namespace auralis {

class ByteStream {
public:
    // Both arguments must outlive the stream; reads fail as soon as the interrupt asks to stop, or a limit is
    // reached.
    ByteStream(MediaSource& source, Interrupt& interrupt);
    ByteStream(const ByteStream&) = delete;
    ByteStream& operator=(const ByteStream&) = delete;

    AVIOContext* context() const { return context_.get(); }

    // The container that is read through this stream, whose growth is watched from now on.
    void watch(const AVFormatContext* container) {
        container_ = container;
        limits_.watch(container);
    }

    // avformat_open_input has returned: from now on, packets are read ahead.
    void opened() { opening_ = false; }

    // A packet was received, so FFmpeg is not in the middle of the headers of a stream, unless there are several.
    void packet_received() noexcept;

    // The headers have been read: from now on reading is not limited.
    void headers_end() { limits_.headers_end(); }

    // Which limit, if any, made reading fail.
    const ContainerLimits& limits() const { return limits_; }

    // errno of the last read that failed, or 0.
    int read_error() const { return read_error_; }

private:
    static int read(void* opaque, std::uint8_t* buffer, int bytes) noexcept;
    static std::int64_t seek(void* opaque, std::int64_t offset, int whence) noexcept;

    struct Deleter {
        void operator()(AVIOContext* context) const;
    };

    MediaSource& source_;
    Interrupt& interrupt_;
    std::int64_t position_ = 0;
    int read_error_ = 0;
    const AVFormatContext* container_ = nullptr;
    bool opening_ = true;
    ContainerGuard guard_;
    ContainerLimits limits_;
    std::unique_ptr<AVIOContext, Deleter> context_;
};

}  // namespace auralis

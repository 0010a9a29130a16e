// FFmpeg's view of a MediaSource: an AVIOContext that reads and seeks there and nowhere else.
#pragma once

#include <cstdint>
#include <memory>

#include "core/interrupt.h"
#include "io/media_source.h"

struct AVIOContext;

namespace auralis {

class ByteStream {
public:
    // Both arguments must outlive the stream; reads fail as soon as the interrupt asks to stop.
    ByteStream(MediaSource& source, Interrupt& interrupt);
    ByteStream(const ByteStream&) = delete;
    ByteStream& operator=(const ByteStream&) = delete;

    AVIOContext* context() const { return context_.get(); }

    // Where the recording begins in the source: behind leading ID3v2 tags.
    std::int64_t base() const { return base_; }

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
    std::int64_t base_;
    std::int64_t position_ = 0;  // relative to base_
    int read_error_ = 0;
    std::unique_ptr<AVIOContext, Deleter> context_;
};

}  // namespace auralis

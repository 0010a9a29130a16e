#include "io/byte_stream.h"

#include <array>
#include <cerrno>
#include <cstdio>

extern "C" {
#include <libavformat/avio.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>
}

namespace auralis {

namespace {

constexpr int kBufferBytes = 64 * 1024;

// Bytes of the ID3v2 tags in front of the audio. FFmpeg's probe gives up on tags of over 1 MB (cover art),
// and the analysis needs none of them.
std::int64_t leading_id3_bytes(MediaSource& source) {
    constexpr std::size_t kHeader = 10;
    std::int64_t offset = 0;
    std::array<std::uint8_t, kHeader> h;
    while (source.read_at(offset, h) == static_cast<std::int64_t>(kHeader)) {
        const bool tag = h[0] == 'I' && h[1] == 'D' && h[2] == '3' && h[3] != 0xff && h[4] != 0xff &&
                         ((h[6] | h[7] | h[8] | h[9]) & 0x80) == 0;
        if (!tag) break;
        const bool footer = (h[5] & 0x10) != 0;
        offset +=
            static_cast<std::int64_t>(kHeader) * (footer ? 2 : 1) + ((h[6] << 21) | (h[7] << 14) | (h[8] << 7) | h[9]);
    }
    return offset;
}

}  // namespace

void ByteStream::Deleter::operator()(AVIOContext* context) const {
    av_freep(&context->buffer);
    avio_context_free(&context);
}

ByteStream::ByteStream(MediaSource& source, Interrupt& interrupt)
    : source_(source), interrupt_(interrupt), base_(leading_id3_bytes(source)) {
    auto* buffer = static_cast<unsigned char*>(av_malloc(kBufferBytes));
    if (buffer != nullptr) context_.reset(avio_alloc_context(buffer, kBufferBytes, 0, this, read, nullptr, seek));
    if (context_) return;
    av_free(buffer);
    throw AnalysisError(ErrorKind::ResourceLimit, Stage::probe, "out of memory");
}

int ByteStream::read(void* opaque, std::uint8_t* buffer, int bytes) noexcept {
    auto& self = *static_cast<ByteStream*>(opaque);
    if (self.interrupt_.stop_requested()) return AVERROR_EXIT;
    const std::int64_t n = self.source_.read_at(self.base_ + self.position_, {buffer, static_cast<std::size_t>(bytes)});
    if (n < 0) {
        self.read_error_ = static_cast<int>(-n);
        return AVERROR(self.read_error_);
    }
    if (n == 0) return AVERROR_EOF;
    self.position_ += n;
    return static_cast<int>(n);
}

std::int64_t ByteStream::seek(void* opaque, std::int64_t offset, int whence) noexcept {
    auto& self = *static_cast<ByteStream*>(opaque);
    const std::int64_t size = self.source_.size() - self.base_;
    switch (whence & ~AVSEEK_FORCE) {
        case AVSEEK_SIZE: return size;
        case SEEK_SET: break;
        case SEEK_CUR: offset += self.position_; break;
        case SEEK_END: offset += size; break;
        default: return AVERROR(EINVAL);
    }
    if (offset < 0) return AVERROR(EINVAL);
    self.position_ = offset;
    return offset;
}

}  // namespace auralis

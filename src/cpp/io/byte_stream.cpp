#include "io/byte_stream.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <span>

extern "C" {
#include <libavformat/avformat.h>
#include <libavformat/avio.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>
}

namespace auralis {

namespace {

constexpr int kBufferBytes = 64 * 1024;
// Headers are passed on in small pieces, so that the limits are checked before FFmpeg believes the next claim.
constexpr int kHeaderPieceBytes = 512;

}  // namespace

void ByteStream::Deleter::operator()(AVIOContext* context) const {
    av_freep(&context->buffer);
    avio_context_free(&context);
}

ByteStream::ByteStream(MediaSource& source, Interrupt& interrupt)
    : source_(source), interrupt_(interrupt), guard_(source, interrupt) {
    auto* buffer = static_cast<unsigned char*>(av_malloc(kBufferBytes));
    if (buffer != nullptr) context_.reset(avio_alloc_context(buffer, kBufferBytes, 0, this, read, nullptr, seek));
    if (context_) return;
    av_free(buffer);
    throw AnalysisError(ErrorKind::ResourceLimit, Stage::probe, "out of memory");
}

void ByteStream::packet_received() noexcept {
    if (container_->nb_streams == 1) guard_.forget_ogg_comments(avio_tell(context_.get()));
}

int ByteStream::read(void* opaque, std::uint8_t* buffer, int bytes) noexcept {
    auto& self = *static_cast<ByteStream*>(opaque);
    if (self.interrupt_.stop_requested()) return AVERROR_EXIT;
    if (self.limits_.in_headers()) bytes = std::min(bytes, kHeaderPieceBytes);
    const std::int64_t n = self.source_.read_at(self.position_, {buffer, static_cast<std::size_t>(bytes)});
    if (n > 0 && (self.limits_.in_headers() || self.guard_.goes_on(self.limits_.format())))
        self.guard_.pass(self.position_, {buffer, static_cast<std::size_t>(n)}, self.opening_);
    const int error = n < 0 ? static_cast<int>(-n) : self.guard_.read_error();
    if (error != 0) {
        self.read_error_ = error;
        return AVERROR(EIO);  // after EAGAIN, FFmpeg would try again without end
    }
    self.position_ += n;
    if (!self.limits_.allow(n, self.guard_)) return AVERROR_EXIT;
    return n == 0 ? AVERROR_EOF : static_cast<int>(n);
}

std::int64_t ByteStream::seek(void* opaque, std::int64_t offset, int whence) noexcept {
    auto& self = *static_cast<ByteStream*>(opaque);
    switch (whence & ~AVSEEK_FORCE) {
        case AVSEEK_SIZE: return self.source_.size();
        case SEEK_SET: break;
        case SEEK_CUR: offset += self.position_; break;
        case SEEK_END: offset += self.source_.size(); break;
        default: return AVERROR(EINVAL);
    }
    if (offset < 0) return AVERROR(EINVAL);
    self.position_ = offset;
    return offset;
}

}  // namespace auralis

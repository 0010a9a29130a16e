#include "io/byte_stream.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

extern "C" {
#include <libavformat/avformat.h>
#include <libavformat/avio.h>
#include <libavutil/dict.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>
}

#include "base/limits.h"

namespace auralis {

namespace {

constexpr int kBufferBytes = 64 * 1024;
// Headers are handed over in small pieces, so that the limits are looked at before the next claim is believed.
constexpr int kHeaderPieceBytes = 512;

// Bytes of the ID3v2 tags in front of the audio. FFmpeg's probe gives up on tags of over 1 MB (cover art),
// and the analysis needs none of them.
std::int64_t leading_id3_bytes(MediaSource& source) {
    constexpr std::int64_t kHeader = 10;
    constexpr int kMaxLeadingTags = 1000;
    std::int64_t offset = 0;
    std::array<std::uint8_t, kHeader> h;
    for (int tags = 0; tags < kMaxLeadingTags && source.read_at(offset, h) == kHeader; ++tags) {
        const bool tag = h[0] == 'I' && h[1] == 'D' && h[2] == '3' && h[3] != 0xff && h[4] != 0xff &&
                         ((h[6] | h[7] | h[8] | h[9]) & 0x80) == 0;
        if (!tag) break;
        const bool footer = (h[5] & 0x10) != 0;
        offset += kHeader * (footer ? 2 : 1) + ((h[6] << 21) | (h[7] << 14) | (h[8] << 7) | h[9]);
    }
    return offset;
}

}  // namespace

void ByteStream::Deleter::operator()(AVIOContext* context) const {
    av_freep(&context->buffer);
    avio_context_free(&context);
}

ByteStream::ByteStream(MediaSource& source, Interrupt& interrupt)
    : source_(source), interrupt_(interrupt), base_(leading_id3_bytes(source)), guard_(source, base_) {
    auto* buffer = static_cast<unsigned char*>(av_malloc(kBufferBytes));
    if (buffer != nullptr) context_.reset(avio_alloc_context(buffer, kBufferBytes, 0, this, read, nullptr, seek));
    if (context_) return;
    av_free(buffer);
    throw AnalysisError(ErrorKind::ResourceLimit, Stage::probe, "out of memory");
}

// FFmpeg's name of the demuxer; empty while it looks for one.
std::string_view ByteStream::format() const noexcept {
    return container_ != nullptr && container_->iformat != nullptr ? container_->iformat->name : "";
}

// Whether FFmpeg may have what it asked for. What it has read so far it may have kept, several times over.
bool ByteStream::within_limits() noexcept {
    if (container_ == nullptr) return true;
    const bool matroska = format().starts_with("matroska");
    const bool mp4 = format().starts_with("mov");
    max_header_bytes_ = matroska ? limits::kMaxMatroskaHeaderBytes : limits::kMaxHeaderBytes;
    if (in_headers_ && bytes_read_ > max_header_bytes_) limit_ = Limit::header_bytes;
    std::int64_t tags = av_dict_count(container_->metadata) + std::int64_t{container_->nb_chapters};
    std::int64_t entries = 0;
    for (unsigned i = 0; i < container_->nb_streams; ++i) {
        tags += av_dict_count(container_->streams[i]->metadata);
        entries += avformat_index_get_entries_count(container_->streams[i]);
    }
    if (in_headers_) tags += guard_.flac_comments();
    // Sound and pictures hold an equals sign in 256 bytes; with several streams it may be theirs.
    const std::int64_t by_chance = container_->nb_streams > 1 ? bytes_read_ / 100 : 0;
    if (format() == "ogg") tags += std::max<std::int64_t>(0, guard_.ogg_comments() - by_chance);
    if (tags > limits::kMaxTags) limit_ = Limit::tags;
    if (matroska && guard_.matroska_tracks() > limits::kMaxStreams) limit_ = Limit::streams;
    if (mp4 && guard_.mp4_edits() > limits::kMaxEdits) limit_ = Limit::edits;
    if (mp4 && guard_.mp4_fragments() * container_->nb_streams > limits::kMaxFragments) limit_ = Limit::fragments;
    if (entries > limits::kMaxIndexEntries) limit_ = Limit::index_entries;
    return limit_ == Limit::none;
}

void ByteStream::packet_received() noexcept {
    if (container_->nb_streams == 1) guard_.forget_ogg_comments(base_ + avio_tell(context_.get()));
}

std::string ByteStream::limit_text() const {
    switch (limit_) {
        case Limit::header_bytes:
            return "more than " + std::to_string(max_header_bytes_ >> 20) + " MB of headers, tags and pictures";
        case Limit::tags: return "more than " + std::to_string(limits::kMaxTags) + " tags or chapters";
        case Limit::streams: return "more than " + std::to_string(limits::kMaxStreams) + " streams";
        case Limit::edits: return "more than " + std::to_string(limits::kMaxEdits) + " edits";
        case Limit::fragments:
            return "more than " + std::to_string(limits::kMaxFragments) + " fragments, counted for each stream";
        case Limit::index_entries:
            return "an index of more than " + std::to_string(limits::kMaxIndexEntries) + " packets";
        default: return {};
    }
}

int ByteStream::read(void* opaque, std::uint8_t* buffer, int bytes) noexcept {
    auto& self = *static_cast<ByteStream*>(opaque);
    if (self.interrupt_.stop_requested()) return AVERROR_EXIT;
    if (self.in_headers_) bytes = std::min(bytes, kHeaderPieceBytes);
    const std::int64_t at = self.base_ + self.position_;
    const std::int64_t n = self.source_.read_at(at, {buffer, static_cast<std::size_t>(bytes)});
    if (n > 0 && (self.in_headers_ || self.guard_.goes_on(self.format())))
        self.guard_.pass(at, {buffer, static_cast<std::size_t>(n)}, self.opening_);
    const int error = n < 0 ? static_cast<int>(-n) : self.guard_.read_error();
    if (error != 0) {
        self.read_error_ = error;
        return AVERROR(EIO);  // EAGAIN would have FFmpeg try again without end
    }
    self.position_ += n;
    self.bytes_read_ += n;
    if (!self.within_limits()) return AVERROR_EXIT;
    return n == 0 ? AVERROR_EOF : static_cast<int>(n);
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

#include "io/container_limits.h"

#include <algorithm>

extern "C" {
#include <libavformat/avformat.h>
#include <libavutil/dict.h>
}

#include "base/limits.h"
#include "io/container_guard.h"

namespace auralis {

std::string_view ContainerLimits::format() const noexcept {
    return container_ != nullptr && container_->iformat != nullptr ? container_->iformat->name : "";
}

bool ContainerLimits::allow(std::int64_t bytes, const ContainerGuard& guard) noexcept {
    bytes_read_ += bytes;
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
    if (in_headers_) tags += guard.flac_comments();
    // In sound and pictures, one byte of 256 is an equals sign; with several streams, it may be one of those.
    const std::int64_t by_chance = container_->nb_streams > 1 ? bytes_read_ / 100 : 0;
    if (format() == "ogg") tags += std::max<std::int64_t>(0, guard.ogg_comments() - by_chance);
    if (tags > limits::kMaxTags) limit_ = Limit::tags;
    if (matroska && guard.matroska_tracks().entries > limits::kMaxStreams) limit_ = Limit::streams;
    if (matroska && guard.matroska_tracks().compressed_audio) limit_ = Limit::compression;
    if (mp4 && guard.mp4_edits() > limits::kMaxEdits) limit_ = Limit::edits;
    if (mp4 && guard.mp4_fragments() * container_->nb_streams > limits::kMaxFragments) limit_ = Limit::fragments;
    if (entries > limits::kMaxIndexEntries) limit_ = Limit::index_entries;
    return limit_ == Limit::none;
}

std::string ContainerLimits::text() const {
    switch (limit_) {
        case Limit::header_bytes:
            return "more than " + std::to_string(max_header_bytes_ >> 20) + " MB of headers, tags and pictures";
        case Limit::tags: return "more than " + std::to_string(limits::kMaxTags) + " tags or chapters";
        case Limit::streams: return "more than " + std::to_string(limits::kMaxStreams) + " streams";
        case Limit::compression: return "audio whose packets are compressed once more, which may expand without limit";
        case Limit::edits: return "more than " + std::to_string(limits::kMaxEdits) + " edits";
        case Limit::fragments:
            return "more than " + std::to_string(limits::kMaxFragments) + " fragments, counted for each stream";
        case Limit::index_entries:
            return "an index of more than " + std::to_string(limits::kMaxIndexEntries) + " packets";
        default: return {};
    }
}

}  // namespace auralis

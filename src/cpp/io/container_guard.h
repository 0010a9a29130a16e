// What can make FFmpeg spend hours or gigabytes without reading another byte, so that no deadline and no other limit
// would stop it: it compares all tags, chapters, tracks and edits with each other, sorts indices by insertion, and
// keeps a list of all streams for every fragment. A container of a few megabytes is enough for that.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "io/matroska_tracks.h"
#include "io/source_reader.h"

namespace auralis {

class ContainerGuard {
public:
    // Both must outlive the guard.
    ContainerGuard(MediaSource& source, Interrupt& interrupt);

    // Examines bytes on their way from `offset` of the source to FFmpeg, and counts what is below. Hides what FFmpeg
    // can be made to skip: ID3v2 tags; of MP4, compressed headers (RecordingSource has them in plain) and descriptions
    // of immersive audio and of pictures, all of which it reads from memory; and while the container is opened, all
    // tags, chapters, cues and attachments of Matroska, and the compression of its pictures and subtitles. Positions
    // and lengths stay as they are.
    void pass(std::int64_t offset, std::span<std::uint8_t> bytes, bool opening) noexcept;

    // errno if one of its own reads failed, or 0; the counts are then void.
    int read_error() const noexcept { return source_.error(); }

    // Whether more of it may come between the packets of a container that FFmpeg calls `format`.
    bool goes_on(std::string_view format) const { return format == "aac" || format == "ogg" || mp4_fragments_ > 0; }

    // FFmpeg has read the comments of the Ogg streams that began before `offset`.
    void forget_ogg_comments(std::int64_t offset) noexcept;

    // Counted so far; upper bounds. Comments are not hidden, since they may also name the channels.
    std::int64_t flac_comments() const { return flac_comments_; }  // also within Matroska
    std::int64_t ogg_comments() const { return equals_signs_; }    // since a stream began; each comment has one
    const MatroskaTracks& matroska_tracks() const { return matroska_tracks_; }
    std::int64_t mp4_edits() const { return mp4_edits_; }
    std::int64_t mp4_fragments() const { return mp4_fragments_; }

private:
    SourceReader source_;
    bool matroska_ = false;
    std::int64_t flac_comments_ = 0;
    std::optional<std::int64_t> ogg_stream_;  // where the last one began
    std::int64_t equals_signs_ = 0;
    MatroskaTracks matroska_tracks_;
    std::int64_t mp4_edits_ = 0;
    std::int64_t mp4_fragments_ = 0;
};

}  // namespace auralis

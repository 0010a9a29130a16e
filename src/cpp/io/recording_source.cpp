#include "io/recording_source.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "io/source_reader.h"
#include "io/tags.h"

namespace auralis {

RecordingSource::RecordingSource(MediaSource& file, Interrupt& interrupt) : file_(file) {
    SourceReader reader(file, interrupt);
    begin_ = std::min(leading_tags_end(reader), reader.size());
    // Behind further ones, FFmpeg would find a container that the guard does not look for.
    if (id3v2_end(reader, begin_) != begin_)
        throw AnalysisError(ErrorKind::ResourceLimit, Stage::probe,
                            "more than " + std::to_string(kMaxLeadingTags) + " ID3v2 tags in front of the recording");
    size_ = trailing_tags_begin(reader, begin_) - begin_;
    reader.check(Stage::probe);
    header_ = inflate_quicktime_header(*this, interrupt);
}

std::int64_t RecordingSource::size() const noexcept { return size_ + static_cast<std::int64_t>(header_.movie.size()); }

std::int64_t RecordingSource::read_at(std::int64_t offset, std::span<std::uint8_t> to) noexcept {
    std::int64_t done = 0;
    if (offset < size_) {
        const std::int64_t in_file = std::min(static_cast<std::int64_t>(to.size()), size_ - offset);
        done = file_.read_at(begin_ + offset, to.first(static_cast<std::size_t>(in_file)));
        if (header_.movie.empty() || done < 0) return done;
        for (std::size_t i = 0; i < header_.detour.size(); ++i) {
            const std::int64_t at = header_.at + static_cast<std::int64_t>(i) - offset;
            if (at >= 0 && at < done) to[static_cast<std::size_t>(at)] = header_.detour[i];
        }
        if (offset + done < size_) return done;
    }
    const std::int64_t behind = offset + done - size_;
    if (behind >= static_cast<std::int64_t>(header_.movie.size())) return done;
    const auto rest = std::span(header_.movie).subspan(static_cast<std::size_t>(behind));
    const auto n = std::min(rest.size(), to.size() - static_cast<std::size_t>(done));
    std::ranges::copy(rest.first(n), to.begin() + done);
    return done + static_cast<std::int64_t>(n);
}

}  // namespace auralis

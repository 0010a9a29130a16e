// A file without what surrounds the recording: tags in front and behind, and the compression of its header.
#pragma once

#include <cstdint>
#include <span>

#include "base/interrupt.h"
#include "io/media_source.h"
#include "io/quicktime_header.h"

namespace auralis {

class RecordingSource final : public MediaSource {
public:
    // The file must outlive the recording. Throws AnalysisError (Unreadable; ResourceLimit for a compressed header
    // beyond the limit, or too many tags), and what the interrupt throws meanwhile.
    RecordingSource(MediaSource& file, Interrupt& interrupt);

    std::int64_t size() const noexcept override;
    std::int64_t read_at(std::int64_t offset, std::span<std::uint8_t> to) noexcept override;

private:
    MediaSource& file_;
    std::int64_t begin_ = 0;  // of the recording in the file
    std::int64_t size_ = 0;   // of what the file holds of it
    QuickTimeHeader header_;  // if it was compressed
};

}  // namespace auralis

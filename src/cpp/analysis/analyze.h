// From a source of bytes, or from samples, to a fingerprint: what the bindings call.
#pragma once

#include <cstddef>

#include "analysis/fingerprint.h"
#include "base/interrupt.h"
#include "io/media_source.h"

namespace auralis {

struct Analysis {
    Fingerprint fingerprint;
    Metadata metadata;
};

// Decodes and measures. Throws AnalysisError or SignalInterrupt.
Analysis analyze_media(MediaSource& source, Interrupt& interrupt);

enum class SampleType { float32, float64, int16 };

// Samples in the caller's memory, floating point at full scale +-1 or 16-bit, of any strides and alignment. They are
// copied block by block; what others write there meanwhile is measured or refused like any other samples.
struct SampleView {
    const void* data;  // first frame of the first channel
    std::size_t frames;
    std::size_t channels;  // 1 to 8, FFmpeg's default layout
    SampleType type;
    std::ptrdiff_t frame_stride, channel_stride;  // bytes
};

// Measures samples, which are read in blocks of `block_frames` frames. Throws AnalysisError or SignalInterrupt.
Analysis analyze_samples(const SampleView& samples, int sample_rate, Interrupt& interrupt, std::size_t block_frames);

}  // namespace auralis

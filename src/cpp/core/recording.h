// From a source of bytes, or from samples, to a fingerprint: what the bindings call.
#pragma once

#include <span>

#include "core/fingerprint.h"
#include "core/interrupt.h"
#include "io/media_source.h"

namespace auralis {

struct Analysis {
    Fingerprint fingerprint;
    RecordingFacts facts;
};

// Decodes and measures. Throws AnalysisError or SignalInterrupt.
Analysis analyze_media(MediaSource& source, Interrupt& interrupt);

// Interleaved samples as they lie in memory, float at full scale +-1 or 16-bit.
struct InterleavedSamples {
    const void* data;
    std::size_t frames;
    std::size_t channels;  // 1 to 8, FFmpeg's default layout
    bool int16;            // otherwise float
};

// Measures samples. Throws AnalysisError or SignalInterrupt.
Analysis analyze_samples(const InterleavedSamples& samples, int sample_rate, Interrupt& interrupt,
                         std::size_t block_frames);

}  // namespace auralis

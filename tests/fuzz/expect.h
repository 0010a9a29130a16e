// What must hold for every analysis of any input. Otherwise the fuzz target aborts, which keeps the input.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "analysis/analyze.h"
#include "base/limits.h"
#include "ranges.h"

namespace auralis::fuzz {

[[noreturn]] inline void finding(const std::string& what) {
    std::fprintf(stderr, "FINDING: %s\n", what.c_str());
    std::abort();
}

inline void expect(bool holds, const std::string& what) {
    if (!holds) finding(what);
}

// Every number is undefined, or finite and in its documented range; the metadata describe a recording.
inline void expect_sane(const Analysis& analysis) {
    for (std::size_t i = 0; i < kDimensions; ++i) {
        const double value = analysis.fingerprint.values()[i];
        if (std::isnan(value)) continue;
        const Range& range = kRanges[i];
        // The level of samples beyond full scale has no documented top: 1e6 is 120 dB, plus eight weighted channels.
        const double maximum = i == static_cast<std::size_t>(Dimension::lufs) ? 140 : range.maximum;
        expect(range.minimum <= value && value <= maximum, std::string(range.name) + " = " + std::to_string(value));
    }
    const Metadata& metadata = analysis.metadata;
    expect(metadata.sample_rate >= limits::kMinSampleRate && metadata.sample_rate <= limits::kMaxSampleRate,
           "sample rate");
    expect(metadata.channels >= 1 && metadata.channels <= static_cast<int>(limits::kMaxChannels), "channels");
    expect(metadata.samples_decoded > 0, "a fingerprint of no samples");
    expect(metadata.damaged_packets >= 0, "damaged packets");
    expect(!metadata.codec.empty() && !metadata.container.empty(), "no name of a codec or container");
    const double declared = metadata.declared_duration.value_or(0);
    expect(std::isfinite(declared) && declared >= 0, "declared duration " + std::to_string(declared));
    expect(metadata.peak >= 0 && metadata.peak <= 1e6, "peak " + std::to_string(metadata.peak));
    expect(std::abs(metadata.dc_offset) <= metadata.peak * (1 + 1e-6),
           "DC offset " + std::to_string(metadata.dc_offset));
    const std::int64_t most_runs = metadata.samples_decoded * metadata.channels / 3;
    expect(metadata.clipped_runs >= 0 && metadata.clipped_runs <= most_runs,
           "runs " + std::to_string(metadata.clipped_runs));
}

// An error says why.
inline void expect_sane(const AnalysisError& error) { expect(error.what()[0] != '\0', "an error without a cause"); }

}  // namespace auralis::fuzz

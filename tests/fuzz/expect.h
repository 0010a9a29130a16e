// What must hold of every analysis, whatever came in. A fuzz target that finds otherwise aborts, which keeps the input.
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

// Every number is undefined, or finite and in its documented range; the facts describe a recording.
inline void expect_sane(const Analysis& analysis) {
    for (std::size_t i = 0; i < kDimensions; ++i) {
        const double value = analysis.fingerprint.values()[i];
        if (std::isnan(value)) continue;
        const Range& range = kRanges[i];
        // The level of samples beyond full scale has no documented top: 1e6 is 120 dB, plus eight weighted channels.
        const double maximum = i == static_cast<std::size_t>(Dimension::lufs) ? 140 : range.maximum;
        expect(range.minimum <= value && value <= maximum, std::string(range.name) + " = " + std::to_string(value));
    }
    const RecordingFacts& facts = analysis.facts;
    expect(facts.sample_rate >= limits::kMinSampleRate && facts.sample_rate <= limits::kMaxSampleRate, "sample rate");
    expect(facts.channels >= 1 && facts.channels <= static_cast<int>(limits::kMaxChannels), "channels");
    expect(facts.samples_decoded > 0, "a fingerprint of no samples");
    expect(facts.damaged_packets >= 0, "damaged packets");
    expect(!facts.codec.empty() && !facts.container.empty(), "no name of a codec or container");
    const double declared = facts.declared_duration.value_or(0);
    expect(std::isfinite(declared) && declared >= 0, "declared duration " + std::to_string(declared));
    expect(facts.peak >= 0 && facts.peak <= 1e6, "peak " + std::to_string(facts.peak));
    expect(std::abs(facts.dc_offset) <= facts.peak * (1 + 1e-6), "DC offset " + std::to_string(facts.dc_offset));
    const std::int64_t most_runs = facts.samples_decoded * facts.channels / 3;
    expect(facts.clipped_runs >= 0 && facts.clipped_runs <= most_runs, "runs " + std::to_string(facts.clipped_runs));
}

// An error says why.
inline void expect_sane(const AnalysisError& error) { expect(error.what()[0] != '\0', "an error without a cause"); }

}  // namespace auralis::fuzz

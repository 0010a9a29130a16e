// What an analysis yields: 25 numbers, in this order, and the metadata of the recording.
// Meaning, unit, range and undefined value of each dimension: src/auralis_fp/schema.py and docs/dimensions.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace auralis {

enum class Dimension : std::size_t {
    sub_bass_pct,
    bass_pct,
    low_mid_pct,
    mid_pct,
    upper_mid_pct,
    presence_pct,
    air_pct,
    lufs,
    crest_db,
    bass_mid_ratio,
    tempo_bpm,
    rhythm_stability,
    transient_density,
    silence_ratio,
    spectral_centroid,
    spectral_rolloff,
    spectral_flatness,
    harmonic_ratio,
    pitch_stability,
    chroma_energy,
    dynamic_range_variation,
    loudness_variation_std,
    peak_consistency,
    stereo_width,
    phase_correlation,
};

inline constexpr std::size_t kDimensions = 25;

class Fingerprint {
public:
    double& operator[](Dimension d) { return values_[static_cast<std::size_t>(d)]; }
    double operator[](Dimension d) const { return values_[static_cast<std::size_t>(d)]; }
    const std::array<double, kDimensions>& values() const { return values_; }

private:
    std::array<double, kDimensions> values_{};
};

struct Metadata {
    int sample_rate = 0;
    int channels = 0;
    std::string codec;
    std::string container;
    std::int64_t samples_decoded = 0;  // per channel
    std::int64_t damaged_packets = 0;
    std::optional<double> declared_duration;  // seconds
    std::int64_t clipped_runs = 0;
    double peak = 0;
    double dc_offset = 0;
    bool identical_channels = false;
};

}  // namespace auralis

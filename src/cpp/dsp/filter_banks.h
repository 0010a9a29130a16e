// Mel and chroma filters on the bins of the STFT, as librosa defines them by default.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "dsp/frames.h"

namespace auralis {

inline constexpr std::size_t kMelBands = 128;
inline constexpr std::size_t kPitchClasses = 12;

// librosa.filters.mel(sr=22050, n_fft=2048): triangles on Slaney's mel scale from 0 to 11 025 Hz, each scaled
// to unit area. Every triangle overlaps only its neighbours, so the weights are stored sparsely.
class MelFilterBank {
public:
    MelFilterBank();

    // Mel power of eight frames.
    void apply(const std::array<Lanes, kBins>& power, std::array<Lanes, kMelBands>& mel) const;

private:
    struct Band {
        std::size_t first_bin;
        std::size_t first_weight;
        std::size_t count;
    };
    std::array<Band, kMelBands> bands_;
    std::vector<float> weights_;
};

// librosa.filters.chroma(sr=22050, n_fft=2048, tuning=0): how much each bin contributes to each pitch class.
// Row order is A first; librosa's roll to C changes no statistic used here.
class ChromaFilterBank {
public:
    ChromaFilterBank();

    void apply(const std::array<Lanes, kBins>& power, std::array<Lanes, kPitchClasses>& chroma) const;

private:
    std::vector<std::array<float, kPitchClasses>> weights_;  // per bin
};

}  // namespace auralis

// Energy per frequency band, from the averaged power spectrum of m at the file's own rate.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "dsp/large_real_fft.h"

namespace auralis {

class BandSpectrum {
public:
    static constexpr std::size_t kBands = 7;

    struct Values {
        std::array<double, kBands> percent;  // of the energy from 20 to 20 000 Hz
        double bass_mid_ratio_db;
    };

    explicit BandSpectrum(int sample_rate);

    void push(std::span<const float> mid);

    Values finish();

private:
    void measure_segment();

    std::size_t segment_;  // N samples, a power of two
    std::vector<float> window_;
    std::vector<float> buffer_;  // the current segment
    std::size_t filled_;
    std::size_t samples_ = 0;
    std::size_t segments_ = 0;
    std::vector<float> power_;
    LargeRealFft fft_;
    std::array<std::size_t, kBands + 1> edge_bins_;  // band b is bins edge_bins_[b] .. edge_bins_[b+1]
    std::array<double, kBands> energy_{};
};

}  // namespace auralis

// Energy per frequency band, from the averaged power spectrum of m at the file's own rate.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "base/aligned_vector.h"
#include "dsp/power_spectrum_sum.h"

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
    void measure_segments();

    int sample_rate_;
    std::size_t hop_;              // segments are 2 * hop_ samples, a power of two, and overlap by half
    AlignedVector<float> buffer_;  // two segments: three hops
    std::size_t filled_;
    std::size_t samples_ = 0;
    std::size_t segments_ = 0;  // in the spectrum
    PowerSpectrumSum spectrum_;
};

}  // namespace auralis

// Sum of the power spectra of many long real signals, two signals at a time.
//
// With z = a + i b, the two signals' spectra are A[k] = (Z[k] + conj Z[-k]) / 2 and B[k] = (Z[k] - conj Z[-k]) / 2i,
// and so |A[k]|^2 + |B[k]|^2 = (|Z[k]|^2 + |Z[-k]|^2) / 2: where only the sum is asked for, one complex transform
// gives it, and nothing has to be taken apart.
#pragma once

#include <cstddef>
#include <vector>

#include "base/aligned_vector.h"
#include "dsp/split_fft.h"
#include "dsp/window.h"

namespace auralis {

class PowerSpectrumSum {
public:
    // n: a power of two, at least 64.
    explicit PowerSpectrumSum(std::size_t n);

    // Adds |A[k]|^2 + |B[k]|^2 of two signals of n floats, each multiplied by the Hann window.
    void add(const float* a, const float* b);

    // The sums for k = 0 .. n/2. To be called once.
    std::vector<double> finish();

private:
    void move_to_total();

    std::size_t n_;
    const HannWindow& window_;
    SplitFft fft_;
    // |Z|^2 in the order in which the rows come out: eight rows at a time, lane = row. Floats for a number of
    // signals so small that none loses digits, the rest in double.
    AlignedVector<Lanes> recent_;
    std::size_t recent_count_ = 0;
    std::vector<double> total_;  // for k = 0 .. n/2: |Z[k]|^2 + |Z[-k]|^2, or the one where both are the same
};

}  // namespace auralis

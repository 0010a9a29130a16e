// Halves the rate of a signal, as a stream, with the low-pass filter that soxr's HQ recipe uses for it.
//
// Most music is sampled at 44 100 Hz, twice the rate of y, and soxr needs nearly twice the time for it. The filter is a
// fast convolution (overlap-save): transform a block, multiply, transform half the bins back, keep what the block's
// ends do not reach. It is real, so two blocks go through it as the real and the imaginary part of one complex signal.
#pragma once

#include <cstddef>
#include <span>

#include "base/aligned_vector.h"
#include "dsp/split_fft.h"

namespace auralis {

class Decimator {
public:
    Decimator();

    // Output that the input so far allows; valid until the next call.
    std::span<const float> push(std::span<const float> input);
    // The remaining output: in all, a sample for every two, and for the last if it is single. To be called once.
    std::span<const float> finish();

private:
    static constexpr std::size_t kLength = 4096;                   // of a transform
    static constexpr std::size_t kReach = 192;                     // of the filter, to either side
    static constexpr std::size_t kAdvance = kLength - 2 * kReach;  // from a block to the next

    struct Tables;

    void filter_blocks();

    const Tables& tables_;
    SplitFft fft_;
    AlignedVector<float> buffer_;  // input of two blocks
    std::size_t filled_ = kReach;  // zeros stand before the first sample
    std::size_t samples_ = 0;      // of input so far
    std::size_t made_ = 0;         // samples of output, before those in output_
    AlignedVector<float> output_;
    AlignedVector<ComplexLanes> bins_, work_;  // scratch
};

}  // namespace auralis

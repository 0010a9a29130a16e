// Power spectrum of one long real signal.
//
// Eight long signals at once would not fit a processor's cache. The four-step method makes one long transform
// out of many short ones, and those are done eight at a time: with M = n/2 = rows * columns, transform the
// columns, turn each element by exp(-2 pi i * row * column / M), transform the rows.
// (Bailey, "FFTs in external or hierarchical memory", 1990.)
#pragma once

#include <cstddef>
#include <vector>

#include "dsp/real_fft.h"

namespace auralis {

class LargeRealFft {
public:
    // n: a power of two, at least 256.
    explicit LargeRealFft(std::size_t n);

    // power[k] = |X[k]|^2 of in[i] * window[i], for k = 0 .. n/2. in, window: n floats; power: n/2 + 1 floats.
    void power(const float* in, const float* window, float* power);

private:
    void transform_columns(const float* in, const float* window);
    void transform_rows();

    std::size_t half_;     // M
    std::size_t rows_;     // length of the column transforms
    std::size_t columns_;  // length of the row transforms
    kissfft<Lanes> column_fft_, row_fft_;
    std::vector<ComplexLanes> turn_;  // exp(-2 pi i row column / M), in the order of the columns' output
    std::vector<ComplexLanes> work_;  // M / 8 elements: eight columns at a time
    std::vector<ComplexLanes> in_, out_;
    // Z, the transform of x[2i] + i x[2i+1], as one chunk of `rows` values for each column, stride_ apart: chunks
    // a power of two apart would compete for the same lines of the cache. After each chunk stands the first
    // value of the next.
    std::size_t stride_;
    std::vector<float> re_, im_;
    std::vector<float> cos_, sin_;  // exp(-2 pi i k / n) for k = 0 .. n/4
};

}  // namespace auralis

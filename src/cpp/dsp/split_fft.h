// Complex FFT of one long signal. Eight at once would not fit a processor's cache, so this makes one long transform out
// of many short ones (the four-step method), and those are done eight at a time: with n = rows * columns, transform the
// columns, turn each element by exp(-2 pi i * row * column / n), transform the rows.
// (Bailey, "FFTs in external or hierarchical memory", 1990.)
#pragma once

#include <kissfft.hh>

#include <array>
#include <cstddef>
#include <utility>

#include "base/aligned_vector.h"
#include "dsp/lanes.h"
#include "dsp/real_fft.h"

namespace auralis {

// exp(-2 pi i (first + lane) by / n) for every lane.
ComplexLanes turns(std::size_t first, std::size_t by, std::size_t n);

class SplitFft {
public:
    // n: a power of two, at least 64. The signal's value row * columns() + column stands in that place.
    explicit SplitFft(std::size_t n);

    std::size_t rows() const { return tables_.rows; }
    std::size_t columns() const { return tables_.columns; }

    // load(i) gives the values i to i + 7 as ComplexLanes. sink(row, bins) gets, for row = 0, 8, 16 .., a pointer to
    // columns() elements: lane l of bins[k] is bin row + l + rows() * k.
    template <typename Load, typename Sink>
    void forward(Load&& load, Sink&& sink) {
        transform_columns(load);
        const auto [rows, columns] = std::pair(tables_.rows, tables_.columns);
        for (std::size_t row = 0; row < rows; row += kLanes) {
            for (std::size_t column = 0; column < columns; column += kLanes) {
                const std::size_t at = column / kLanes * rows + row;
                std::array<Lanes, kLanes> re, im;
                for (std::size_t i = 0; i < kLanes; ++i) {
                    const ComplexLanes z = work_[at + i];
                    const ComplexLanes turn = tables_.turn[at + i];
                    re[i] = z.real() * turn.real() - z.imag() * turn.imag();
                    im[i] = z.real() * turn.imag() + z.imag() * turn.real();
                }
                transpose(re);
                transpose(im);
                for (std::size_t i = 0; i < kLanes; ++i) in_[column + i] = {re[i], im[i]};
            }
            tables_.row_fft.transform(in_.data(), out_.data());
            sink(row, out_.data());
        }
    }

private:
    struct Tables {
        std::size_t rows;     // length of the column transforms
        std::size_t columns;  // length of the row transforms
        kissfft<Lanes> column_fft, row_fft;
        AlignedVector<ComplexLanes> turn;  // exp(-2 pi i row column / n), in the order of the columns' output

        explicit Tables(std::size_t n);
    };

    template <typename Load>
    void transform_columns(Load&& load) {
        const auto [rows, columns] = std::pair(tables_.rows, tables_.columns);
        for (std::size_t column = 0; column < columns; column += 2 * kLanes) {
            for (std::size_t row = 0; row < rows; ++row)  // two columns at once: a line of the cache
                for (std::size_t half = 0; half < 2; ++half)
                    in_[row + half * rows] = load(row * columns + column + half * kLanes);
            tables_.column_fft.transform(in_.data(), &work_[column / kLanes * rows]);
            tables_.column_fft.transform(&in_[rows], &work_[(column / kLanes + 1) * rows]);
        }
    }

    const Tables& tables_;
    AlignedVector<ComplexLanes> work_;  // n / 8 elements: eight columns at a time, lane = column
    AlignedVector<ComplexLanes> in_, out_;
};

}  // namespace auralis

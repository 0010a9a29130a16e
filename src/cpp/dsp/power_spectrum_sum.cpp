#include "dsp/power_spectrum_sum.h"

#include <algorithm>
#include <bit>

#include "dsp/shared_table.h"

namespace auralis {

namespace {

constexpr std::size_t kMaxRecent = 64;

}  // namespace

struct PowerSpectrumSum::Tables {
    std::size_t rows;     // length of the column transforms
    std::size_t columns;  // length of the row transforms
    kissfft<Lanes> column_fft, row_fft;
    std::vector<ComplexLanes> turn;  // exp(-2 pi i row column / n), in the order of the columns' output

    explicit Tables(std::size_t n)
        : rows(std::size_t{1} << (std::bit_width(n) / 2)),  // the square root of n, rounded up to a power of two
          columns(n / rows),
          column_fft(rows, false),
          row_fft(columns, false),
          turn(n / kLanes) {
        for (std::size_t column = 0; column < columns; ++column) {
            for (std::size_t row = 0; row < rows; ++row) {
                const double angle =
                    -2 * std::numbers::pi * static_cast<double>(row * column % n) / static_cast<double>(n);
                ComplexLanes& to = turn[column / kLanes * rows + row];
                Lanes re = to.real(), im = to.imag();
                re.set(column % kLanes, static_cast<float>(std::cos(angle)));
                im.set(column % kLanes, static_cast<float>(std::sin(angle)));
                to = {re, im};
            }
        }
    }
};

PowerSpectrumSum::PowerSpectrumSum(std::size_t n)
    : n_(n),
      window_(shared_table<HannWindow>(n)),
      tables_(shared_table<Tables>(n)),
      work_(n / kLanes),
      in_(2 * tables_.rows),
      out_(tables_.rows),
      recent_(n / kLanes, Lanes(0.0F)),
      total_(n) {}

void PowerSpectrumSum::add(const float* a, const float* b) {
    transform_columns(a, b);
    transform_rows();
    if (++recent_count_ == kMaxRecent) move_to_total();
}

void PowerSpectrumSum::transform_columns(const float* a, const float* b) {
    // z[row * columns + column]; lane = column.
    const auto [rows, columns] = std::pair(tables_.rows, tables_.columns);
    for (std::size_t column = 0; column < columns; column += 2 * kLanes) {
        for (std::size_t row = 0; row < rows; ++row) {  // two columns at once: a line of the cache
            for (std::size_t half = 0; half < 2; ++half) {
                const std::size_t i = row * columns + column + half * kLanes;
                const Lanes w = Lanes::load(window_.data() + i);
                in_[row + half * rows] = {Lanes::load(a + i) * w, Lanes::load(b + i) * w};
            }
        }
        tables_.column_fft.transform(in_.data(), &work_[column / kLanes * rows]);
        tables_.column_fft.transform(&in_[rows], &work_[(column / kLanes + 1) * rows]);
    }
}

void PowerSpectrumSum::transform_rows() {
    const auto [rows, columns] = std::pair(tables_.rows, tables_.columns);
    for (std::size_t row = 0; row < rows; row += kLanes) {
        for (std::size_t column = 0; column < columns; column += kLanes) {
            const ComplexLanes* block = &work_[column / kLanes * rows + row];
            const ComplexLanes* turn = &tables_.turn[column / kLanes * rows + row];
            std::array<Lanes, kLanes> re, im;
            for (std::size_t i = 0; i < kLanes; ++i) {
                re[i] = block[i].real() * turn[i].real() - block[i].imag() * turn[i].imag();
                im[i] = block[i].real() * turn[i].imag() + block[i].imag() * turn[i].real();
            }
            transpose(re);
            transpose(im);
            for (std::size_t i = 0; i < kLanes; ++i) in_[column + i] = {re[i], im[i]};
        }
        tables_.row_fft.transform(in_.data(), out_.data());
        Lanes* sums = &recent_[row / kLanes * columns];
        for (std::size_t k = 0; k < columns; ++k)
            sums[k] += out_[k].real() * out_[k].real() + out_[k].imag() * out_[k].imag();
    }
}

// out_[k] of row r is Z[r + rows * k].
void PowerSpectrumSum::move_to_total() {
    const auto [rows, columns] = std::pair(tables_.rows, tables_.columns);
    for (std::size_t k = 0; k < columns; ++k)
        for (std::size_t row = 0; row < rows; ++row)
            total_[row + rows * k] += static_cast<double>(recent_[row / kLanes * columns + k][row % kLanes]);
    std::ranges::fill(recent_, Lanes(0.0F));
    recent_count_ = 0;
}

std::vector<double> PowerSpectrumSum::finish() {
    move_to_total();
    std::vector<double> sums(n_ / 2 + 1);
    for (std::size_t k = 0; k < sums.size(); ++k) sums[k] = (total_[k] + total_[(n_ - k) % n_]) / 2;
    return sums;
}

}  // namespace auralis

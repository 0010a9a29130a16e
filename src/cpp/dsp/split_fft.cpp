#include "dsp/split_fft.h"

#include <bit>
#include <cmath>
#include <numbers>

#include "dsp/shared_table.h"

namespace auralis {

SplitFft::Tables::Tables(std::size_t n)
    : rows(std::size_t{1} << (std::bit_width(n) / 2)),  // the square root of n, rounded up to a power of two
      columns(n / rows),
      column_fft(rows, false),
      row_fft(columns, false),
      turn(n / kLanes) {
    for (std::size_t column = 0; column < columns; ++column) {
        for (std::size_t row = 0; row < rows; ++row) {
            const double angle = -2 * std::numbers::pi * static_cast<double>(row * column % n) / static_cast<double>(n);
            ComplexLanes& to = turn[column / kLanes * rows + row];
            Lanes re = to.real(), im = to.imag();
            re.set(column % kLanes, static_cast<float>(std::cos(angle)));
            im.set(column % kLanes, static_cast<float>(std::sin(angle)));
            to = {re, im};
        }
    }
}

SplitFft::SplitFft(std::size_t n)
    : tables_(shared_table<Tables>(n)), work_(n / kLanes), in_(2 * tables_.rows), out_(tables_.rows) {}

}  // namespace auralis

#include "dsp/split_fft.h"

#include <bit>
#include <cmath>
#include <numbers>

#include "dsp/shared_table.h"

namespace auralis {

ComplexLanes turns(std::size_t first, std::size_t by, std::size_t n) {
    Lanes re, im;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const auto place = static_cast<double>((first + lane) * by % n);
        const double angle = -2 * std::numbers::pi * place / static_cast<double>(n);
        re.set(lane, static_cast<float>(std::cos(angle)));
        im.set(lane, static_cast<float>(std::sin(angle)));
    }
    return {re, im};
}

SplitFft::Tables::Tables(std::size_t n)
    : rows(std::size_t{1} << (std::bit_width(n) / 2)),  // the square root of n, rounded up to a power of two
      columns(n / rows),
      column_fft(rows, false),
      row_fft(columns, false) {
    for (std::size_t column = 0; column < columns; column += kLanes)
        for (std::size_t row = 0; row < rows; ++row) turn.push_back(turns(column, row, n));
}

SplitFft::SplitFft(std::size_t n)
    : tables_(shared_table<Tables>(n)), work_(n / kLanes), in_(2 * tables_.rows), out_(tables_.rows) {}

}  // namespace auralis

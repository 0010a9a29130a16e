#include "dsp/power_spectrum_sum.h"

#include <algorithm>
#include <utility>

#include "dsp/shared_table.h"

namespace auralis {

namespace {

constexpr std::size_t kMaxRecent = 64;

}  // namespace

PowerSpectrumSum::PowerSpectrumSum(std::size_t n)
    : n_(n), window_(shared_table<HannWindow>(n)), fft_(n), recent_(n / kLanes, Lanes(0.0F)), total_(n / 2 + 1) {}

void PowerSpectrumSum::add(const float* a, const float* b) {
    const auto load = [&](std::size_t i) {
        const Lanes w = Lanes::load(window_.data() + i);
        return ComplexLanes(Lanes::load(a + i) * w, Lanes::load(b + i) * w);
    };
    fft_.forward(load, [this](std::size_t row, const ComplexLanes* bins) {
        Lanes* sums = &recent_[row / kLanes * fft_.columns()];
        for (std::size_t k = 0; k < fft_.columns(); ++k)
            sums[k] += bins[k].real() * bins[k].real() + bins[k].imag() * bins[k].imag();
    });
    if (++recent_count_ == kMaxRecent) move_to_total();
}

void PowerSpectrumSum::move_to_total() {
    const auto [rows, columns] = std::pair(fft_.rows(), fft_.columns());
    for (std::size_t column = 0; column < columns; ++column) {
        for (std::size_t row = 0; row < rows; ++row) {
            const std::size_t k = row + rows * column;
            total_[std::min(k, n_ - k)] += static_cast<double>(recent_[row / kLanes * columns + column][row % kLanes]);
        }
    }
    std::ranges::fill(recent_, Lanes(0.0F));
    recent_count_ = 0;
}

std::vector<double> PowerSpectrumSum::finish() {
    move_to_total();
    for (std::size_t k = 1; k < n_ / 2; ++k) total_[k] /= 2;
    return std::move(total_);
}

}  // namespace auralis

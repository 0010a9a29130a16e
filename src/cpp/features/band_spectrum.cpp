#include "features/band_spectrum.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/undefined.h"

namespace auralis {

namespace {

constexpr std::array<double, BandSpectrum::kBands + 1> kEdgesHz = {20, 60, 250, 500, 2000, 4000, 6000, 20000};
constexpr double kBinSpacingHz = 2.7;  // by definition N = 2^round(log2(sr / 2.7))
constexpr double kMaxRatioDb = 40.0;

// Twice the distance between segments.
std::size_t segment_length(int sample_rate) {
    return std::size_t{1} << std::lround(std::log2(sample_rate / kBinSpacingHz));
}

}  // namespace

BandSpectrum::BandSpectrum(int sample_rate)
    : sample_rate_(sample_rate),
      hop_(segment_length(sample_rate) / 2),
      buffer_(3 * hop_, 0.0F),
      filled_(hop_),  // half a segment of zeros stands before the first sample
      spectrum_(2 * hop_) {}

void BandSpectrum::push(std::span<const float> mid) {
    samples_ += mid.size();
    while (!mid.empty()) {
        const std::size_t n = std::min(mid.size(), buffer_.size() - filled_);
        std::copy_n(mid.begin(), n, buffer_.begin() + static_cast<std::ptrdiff_t>(filled_));
        filled_ += n;
        mid = mid.subspan(n);
        if (filled_ == buffer_.size()) measure_segments();
    }
}

void BandSpectrum::measure_segments() {
    spectrum_.add(buffer_.data(), &buffer_[hop_]);
    std::copy_n(buffer_.end() - static_cast<std::ptrdiff_t>(hop_), hop_, buffer_.begin());
    filled_ = hop_;
    segments_ += 2;
}

BandSpectrum::Values BandSpectrum::finish() {
    // Half a segment of zeros after the last sample, and more to a whole number of segments.
    const std::size_t segments = 1 + (samples_ + hop_ - 1) / hop_;
    while (segments_ < segments) {
        std::fill(buffer_.begin() + static_cast<std::ptrdiff_t>(filled_), buffer_.end(), 0.0F);
        if (segments - segments_ > 1) {
            measure_segments();
        } else {  // the last one has no partner
            spectrum_.add(buffer_.data(), std::vector<float>(2 * hop_, 0.0F).data());
            ++segments_;
        }
    }
    std::vector<double> power = spectrum_.finish();
    // One-sided spectrum: every bin but DC (below all bands) and Nyquist stands for two.
    power.back() /= 2;
    const double bin_hz = sample_rate_ / static_cast<double>(2 * hop_);
    const auto first_bin = [&](double hz) {
        return power.begin() + std::min(std::lround(std::ceil(hz / bin_hz)), std::ssize(power));
    };
    std::array<double, kBands> energy;
    for (std::size_t b = 0; b < kBands; ++b)
        energy[b] = std::accumulate(first_bin(kEdgesHz[b]), first_bin(kEdgesHz[b + 1]), 0.0);

    Values v;
    const double total = std::accumulate(energy.begin(), energy.end(), 0.0);
    for (std::size_t b = 0; b < kBands; ++b) v.percent[b] = total > 0 ? 100 * energy[b] / total : kUndefined;
    const double bass = energy[1];
    const double mid = energy[2] + energy[3];
    v.bass_mid_ratio_db = kUndefined;
    if (bass > 0 || mid > 0) v.bass_mid_ratio_db = std::clamp(10 * std::log10(bass / mid), -kMaxRatioDb, kMaxRatioDb);
    return v;
}

}  // namespace auralis

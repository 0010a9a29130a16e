#include "features/band_spectrum.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/fingerprint.h"
#include "dsp/window.h"

namespace auralis {

namespace {

constexpr std::array<double, BandSpectrum::kBands + 1> kEdgesHz = {20, 60, 250, 500, 2000, 4000, 6000, 20000};
constexpr double kBinSpacingHz = 2.7;  // spec: N = 2^round(log2(sr / 2.7))
constexpr double kMaxRatioDb = 40.0;

double sum(std::span<const float> values) {
    Lanes partial(0.0F);
    std::size_t i = 0;
    for (; i + kLanes <= values.size(); i += kLanes) partial += Lanes::load(&values[i]);
    double total = auralis::sum(partial);
    for (; i < values.size(); ++i) total += static_cast<double>(values[i]);
    return total;
}

}  // namespace

BandSpectrum::BandSpectrum(int sample_rate)
    : segment_(std::size_t{1} << std::lround(std::log2(sample_rate / kBinSpacingHz))),
      window_(hann_window(segment_)),
      buffer_(segment_, 0.0F),
      filled_(segment_ / 2),  // half a segment of zeros stands before the first sample
      power_(segment_ / 2 + 1),
      fft_(segment_) {
    const double bin_hz = static_cast<double>(sample_rate) / static_cast<double>(segment_);
    for (std::size_t i = 0; i < edge_bins_.size(); ++i)
        edge_bins_[i] = std::min(static_cast<std::size_t>(std::ceil(kEdgesHz[i] / bin_hz)), power_.size());
}

void BandSpectrum::push(std::span<const float> mid) {
    samples_ += mid.size();
    while (!mid.empty()) {
        const std::size_t n = std::min(mid.size(), segment_ - filled_);
        std::copy_n(mid.begin(), n, buffer_.begin() + static_cast<std::ptrdiff_t>(filled_));
        filled_ += n;
        mid = mid.subspan(n);
        if (filled_ == segment_) measure_segment();
    }
}

void BandSpectrum::measure_segment() {
    fft_.power(buffer_.data(), window_.data(), power_.data());
    // One-sided spectrum: every bin but DC (below all bands) and Nyquist stands for two.
    power_.back() *= 0.5F;
    for (std::size_t b = 0; b < kBands; ++b)
        energy_[b] += sum(std::span(power_).subspan(edge_bins_[b], edge_bins_[b + 1] - edge_bins_[b]));
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(segment_ / 2), buffer_.end(), buffer_.begin());
    filled_ = segment_ / 2;
    ++segments_;
}

BandSpectrum::Values BandSpectrum::finish() {
    // Half a segment of zeros after the last sample, and more to a whole number of segments.
    const std::size_t hop = segment_ / 2;
    const std::size_t segments = 1 + (samples_ + hop - 1) / hop;
    while (segments_ < segments) {
        std::fill(buffer_.begin() + static_cast<std::ptrdiff_t>(filled_), buffer_.end(), 0.0F);
        measure_segment();
    }
    Values v;
    const double total = std::accumulate(energy_.begin(), energy_.end(), 0.0);
    for (std::size_t b = 0; b < kBands; ++b) v.percent[b] = total > 0 ? 100 * energy_[b] / total : kUndefined;
    const double bass = energy_[1];
    const double mid = energy_[2] + energy_[3];
    v.bass_mid_ratio_db = kUndefined;
    if (bass > 0 || mid > 0) v.bass_mid_ratio_db = std::clamp(10 * std::log10(bass / mid), -kMaxRatioDb, kMaxRatioDb);
    return v;
}

}  // namespace auralis

#include "features/harmonic_percussive.h"

#include <algorithm>
#include <cmath>

#include "base/undefined.h"

namespace auralis {

namespace {

// Index into n values continued by reflection about their edges: d c b a | a b c d | d c b a.
std::size_t reflect(std::ptrdiff_t i, std::size_t n) {
    const auto period = static_cast<std::ptrdiff_t>(2 * n);
    i = ((i % period) + period) % period;
    return static_cast<std::size_t>(std::min(i, period - 1 - i));
}

// Of half the bins of a strip.
struct HalfEnergies {
    Lanes harmonic{0.0F}, percussive{0.0F};

    template <int kHigh>
    void add(const ShortLanes& harmonic_median, const ShortLanes& percussive_median, const ShortLanes& magnitude) {
        // Soft masks of power 2: h^2 / (h^2 + p^2) and its complement; a half each where both are zero.
        constexpr float kTiny = 1e-36F;
        const Lanes h = widen<kHigh>(harmonic_median);
        const Lanes p = widen<kHigh>(percussive_median);
        const Lanes h2 = h * h + kTiny;
        const Lanes p2 = p * p + kTiny;
        const Lanes whole = widen<kHigh>(magnitude);
        const Lanes harmonic_part = whole * (h2 / (h2 + p2));
        const Lanes percussive_part = whole - harmonic_part;
        harmonic += harmonic_part * harmonic_part;
        percussive += percussive_part * percussive_part;
    }
};

}  // namespace

HarmonicPercussive::HarmonicPercussive()
    : magnitude_(kStrips), percussive_(kStrips), column_(kHalfBins + 2 * kMargin), medians_(kHalfBins) {}

void HarmonicPercussive::push(const FrameBatch& batch, const SpectrumBatch& spectrum) {
    // Position i holds the bins i - kMargin and i - kMargin + kHalfBins.
    const auto& magnitude = spectrum.magnitude;
    for (std::size_t i = 0; i < column_.size(); ++i) {
        const std::size_t low = i < kMargin ? kMargin - 1 - i : i - kMargin;
        const std::size_t high = i + kHalfBins - kMargin;
        column_[i] = shorten(magnitude[low], magnitude[high < kBins ? high : 2 * kBins - 1 - high]);
    }
    sliding_median_31(&column_[1], kHalfBins, medians_.data());

    append(&column_[kMargin], kMargin + frames_ - masked_, magnitude_);
    append(medians_.data(), frames_ - masked_, percussive_);
    frames_ += batch.count;
    if (frames_ >= masked_ + kBlockFrames + kReach) mask_block(kBlockFrames, false);
}

// Transposes eight frames to the strips. Lanes of a last, partial batch that hold no frame land behind the end.
template <std::size_t kFrames>
void HarmonicPercussive::append(const ShortLanes* bins, std::size_t position, std::vector<Strip<kFrames>>& strips) {
    for (std::size_t s = 0; s < kStrips / 2; ++s) {
        std::array<ShortLanes, kShortLanes> block;
        std::copy_n(bins + s * kShortLanes, kShortLanes, block.begin());
        transpose(block);
        const auto at = static_cast<std::ptrdiff_t>(position);
        std::copy_n(block.begin(), kLanes, strips[s].begin() + at);
        std::copy_n(block.begin() + kLanes, kLanes, strips[s + kStrips / 2].begin() + at);
    }
}

// Continues the recording beyond its first frame and, at the end, beyond its last.
void HarmonicPercussive::reflect_edges(MagnitudeStrip& strip, std::size_t count, bool at_end) const {
    if (masked_ == 0)
        for (std::size_t i = 1; i <= kMargin; ++i)
            strip[kMargin - i] = strip[kMargin + reflect(-static_cast<std::ptrdiff_t>(i), frames_)];
    if (at_end)
        for (std::size_t frame = frames_; frame < masked_ + count + kReach; ++frame)
            strip[kMargin + frame - masked_] =
                strip[kMargin + reflect(static_cast<std::ptrdiff_t>(frame), frames_) - masked_];
}

void HarmonicPercussive::mask_block(std::size_t count, bool at_end) {
    std::array<ShortLanes, kBlockFrames> harmonic;
    for (std::size_t s = 0; s <= kLastStrip; ++s) {
        auto& magnitude = magnitude_[s];
        auto& percussive = percussive_[s];
        reflect_edges(magnitude, count, at_end);
        sliding_median_31(&magnitude[1], kBlockFrames, harmonic.data());
        HalfEnergies low, high;
        for (std::size_t i = 0; i < count; ++i) {
            low.add<0>(harmonic[i], percussive[i], magnitude[kMargin + i]);
            high.add<1>(harmonic[i], percussive[i], magnitude[kMargin + i]);
        }
        // One-sided spectrum: every bin but DC and Nyquist stands for two.
        const auto energy = [s](const Lanes& low_sum, const Lanes& high_sum) {
            const auto first = static_cast<double>(low_sum[0]);
            if (s == kLastStrip) return first;
            return 2 * (sum(low_sum) + sum(high_sum)) - (s == 0 ? first : 0);
        };
        harmonic_energy_ += energy(low.harmonic, high.harmonic);
        percussive_energy_ += energy(low.percussive, high.percussive);
        std::copy(magnitude.begin() + kBlockFrames, magnitude.end(), magnitude.begin());
        std::copy(percussive.begin() + kBlockFrames, percussive.end(), percussive.begin());
    }
    masked_ += count;
}

double HarmonicPercussive::finish() {
    while (masked_ < frames_) mask_block(std::min(kBlockFrames, frames_ - masked_), true);
    const double h = std::sqrt(harmonic_energy_);
    const double p = std::sqrt(percussive_energy_);
    return h + p > 0 ? h / (h + p) : kUndefined;
}

}  // namespace auralis

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

}  // namespace

HarmonicPercussive::HarmonicPercussive()
    : magnitude_(kStrips), percussive_(kStrips), column_(kMedianOutputs + 2 * kMargin), medians_(kMedianOutputs) {}

void HarmonicPercussive::push(const FrameBatch& batch, const SpectrumBatch& spectrum) {
    const auto& magnitude = spectrum.magnitude;
    std::copy_n(magnitude.begin(), kBins, column_.begin() + kMargin);
    for (std::size_t i = 0; i < kMargin; ++i) {
        column_[kMargin - 1 - i] = magnitude[i];
        column_[kMargin + kBins + i] = magnitude[kBins - 1 - i];
    }
    sliding_median_31(&column_[1], kMedianOutputs, medians_.data());
    std::fill(medians_.begin() + kBins, medians_.end(), Lanes(0.0F));

    append(magnitude.data(), kMargin + frames_ - masked_, magnitude_);
    append(medians_.data(), frames_ - masked_, percussive_);
    frames_ += batch.count;
    if (frames_ >= masked_ + kBlockFrames + kReach) mask_block(kBlockFrames, false);
}

// Transposes eight frames to the strips. Lanes of a last, partial batch that hold no frame land behind the end.
template <std::size_t kFrames>
void HarmonicPercussive::append(const Lanes* bins, std::size_t position, std::vector<Strip<kFrames>>& strips) {
    for (std::size_t s = 0; s < kStrips; ++s) {
        std::array<Lanes, kLanes> block;
        std::copy_n(bins + s * kLanes, kLanes, block.begin());
        transpose(block);
        std::copy_n(block.begin(), kLanes, strips[s].begin() + static_cast<std::ptrdiff_t>(position));
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
    std::array<Lanes, kBlockFrames> harmonic;
    for (std::size_t s = 0; s < kStrips; ++s) {
        auto& magnitude = magnitude_[s];
        auto& percussive = percussive_[s];
        reflect_edges(magnitude, count, at_end);
        sliding_median_31(&magnitude[1], kBlockFrames, harmonic.data());
        Lanes harmonic_sum(0.0F);
        Lanes percussive_sum(0.0F);
        for (std::size_t i = 0; i < count; ++i) {
            // Soft masks of power 2: h^2 / (h^2 + p^2) and its complement; a half each where both are zero.
            const Lanes h2 = harmonic[i] * harmonic[i];
            const Lanes total = h2 + percussive[i] * percussive[i];
            constexpr float kTiny = 1e-36F;
            const Lanes mask = select(total < kTiny, 0.5F, h2 / max(total, kTiny));
            const Lanes harmonic_part = magnitude[kMargin + i] * mask;
            const Lanes percussive_part = magnitude[kMargin + i] - harmonic_part;
            harmonic_sum += harmonic_part * harmonic_part;
            percussive_sum += percussive_part * percussive_part;
        }
        // One-sided spectrum: every bin but DC and Nyquist stands for two.
        harmonic_energy_ += 2 * sum(harmonic_sum);
        percussive_energy_ += 2 * sum(percussive_sum);
        if (s == 0 || s == kStrips - 1) {
            harmonic_energy_ -= static_cast<double>(harmonic_sum[0]);
            percussive_energy_ -= static_cast<double>(percussive_sum[0]);
        }
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

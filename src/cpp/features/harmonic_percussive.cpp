#include "features/harmonic_percussive.h"

#include <algorithm>
#include <cmath>

#include "core/fingerprint.h"

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
    : magnitude_(kHistory),
      percussive_(kHistory),
      column_(kMedianOutputs + 2 * (kReach + 1)),
      medians_(kMedianOutputs) {}

void HarmonicPercussive::push(const FrameBatch& batch, const SpectrumBatch& spectrum) {
    for (std::size_t i = 0; i < column_.size(); ++i)
        column_[i] = spectrum.magnitude[reflect(static_cast<std::ptrdiff_t>(i) - (kReach + 1), kBins)];
    sliding_median_31(&column_[1], kMedianOutputs, medians_.data());
    std::fill(medians_.begin() + kBins, medians_.end(), Lanes(0.0F));
    store_rows(medians_.data(), batch, percussive_);

    std::copy(spectrum.magnitude.begin(), spectrum.magnitude.end(), column_.begin());
    std::fill(column_.begin() + kBins, column_.end(), Lanes(0.0F));
    store_rows(column_.data(), batch, magnitude_);

    frames_ += batch.count;
    while (frames_ >= masked_ + kBlockFrames + kReach) mask_block(kBlockFrames, false);
}

void HarmonicPercussive::store_rows(const Lanes* bins, const FrameBatch& batch, Ring& ring) {
    for (std::size_t k = 0; k < kRowBins; k += kLanes) {
        std::array<Lanes, kLanes> block;
        std::copy_n(bins + k, kLanes, block.begin());
        transpose(block);
        for (std::size_t i = 0; i < batch.count; ++i) block[i].store(&row(ring, batch.first_frame + i)[k]);
    }
}

void HarmonicPercussive::mask_block(std::size_t count, bool at_end) {
    constexpr std::size_t kColumn = kBlockFrames + 2 * (kReach + 1);
    std::array<const float*, kColumn> rows;
    for (std::size_t i = 0; i < kColumn; ++i) {
        const auto frame = static_cast<std::ptrdiff_t>(masked_ + i) - static_cast<std::ptrdiff_t>(kReach + 1);
        // Before the end the last row may not exist yet, and is not looked at.
        const std::size_t source =
            at_end || frame < 0 ? reflect(frame, frames_) : std::min(static_cast<std::size_t>(frame), frames_ - 1);
        rows[i] = row(magnitude_, source).data();
    }
    std::array<const float*, kBlockFrames> percussive_rows;
    for (std::size_t i = 0; i < count; ++i) percussive_rows[i] = row(percussive_, masked_ + i).data();

    std::array<Lanes, kColumn> column;
    std::array<Lanes, kBlockFrames> harmonic;
    for (std::size_t k = 0; k < kRowBins; k += kLanes) {
        for (std::size_t i = 0; i < kColumn; ++i) column[i] = Lanes::load(rows[i] + k);
        sliding_median_31(&column[1], kBlockFrames, harmonic.data());
        Lanes harmonic_sum(0.0F), percussive_sum(0.0F);
        for (std::size_t i = 0; i < count; ++i) {
            // Soft masks of power 2: h^2 / (h^2 + p^2) and its complement; a half each where both are zero.
            const Lanes percussive = Lanes::load(percussive_rows[i] + k);
            const Lanes h2 = harmonic[i] * harmonic[i];
            const Lanes total = h2 + percussive * percussive;
            constexpr float kTiny = 1e-36F;
            const Lanes mask = select(total < kTiny, 0.5F, h2 / max(total, kTiny));
            const Lanes magnitude = column[i + kReach + 1];
            const Lanes harmonic_part = magnitude * mask;
            const Lanes percussive_part = magnitude - harmonic_part;
            harmonic_sum += harmonic_part * harmonic_part;
            percussive_sum += percussive_part * percussive_part;
        }
        // One-sided spectrum: every bin but DC and Nyquist stands for two.
        harmonic_energy_ += 2 * sum(harmonic_sum);
        percussive_energy_ += 2 * sum(percussive_sum);
        if (k == 0 || k == kBins - 1) {
            harmonic_energy_ -= static_cast<double>(harmonic_sum[0]);
            percussive_energy_ -= static_cast<double>(percussive_sum[0]);
        }
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

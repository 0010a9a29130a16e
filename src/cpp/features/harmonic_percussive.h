// Harmonic-percussive separation by median filtering (Fitzgerald, DAFx 2010), reduced to the two energies.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "base/aligned_vector.h"
#include "dsp/frames.h"
#include "dsp/sliding_median.h"

namespace auralis {

class HarmonicPercussive {
public:
    HarmonicPercussive();

    void push(const FrameBatch& batch, const SpectrumBatch& spectrum);

    // h / (h + p), 0 to 1, of the amplitudes of the two parts; kUndefined when both are 0.
    double finish();

private:
    static constexpr std::size_t kReach = kMedianWindow / 2;
    // sliding_median_31 reads one value more on each side, which influences nothing.
    static constexpr std::size_t kMargin = kReach + 1;
    // Frames are masked a block at a time, as soon as the frames after the block are known.
    static constexpr std::size_t kBlockFrames = 2 * kMedianGroup;
    // Two halves of the bins side by side, in the lower and the upper lanes.
    static constexpr std::size_t kHalfBins = (kBins / 2 + kMedianGroup) / kMedianGroup * kMedianGroup;
    // Frames not masked yet: a block, its reach, and those by which a batch of eight overshoots.
    static constexpr std::size_t kPending = kBlockFrames + kReach + kLanes;

    // A strip is the course of sixteen neighbouring bins over some frames, lane = bin.
    template <std::size_t kFrames>
    using Strip = std::array<ShortLanes, kFrames>;
    using MagnitudeStrip = Strip<kMargin + kPending + 1>;  // position kMargin is the first frame not masked yet
    using PercussiveStrip = Strip<kPending>;               // position 0 is
    static constexpr std::size_t kStrips = 2 * kHalfBins / kShortLanes;
    static constexpr std::size_t kLastStrip = (kBins - 1) / kShortLanes;
    static_assert((kBins - 1) % kShortLanes == 0, "of the last strip, the first bin is the Nyquist frequency");

    template <std::size_t kFrames>
    static void append(const ShortLanes* bins, std::size_t position, std::vector<Strip<kFrames>>& strips);
    void reflect_edges(MagnitudeStrip& strip, std::size_t count, bool at_end) const;
    void mask_block(std::size_t count, bool at_end);

    std::vector<MagnitudeStrip> magnitude_;    // |STFT|
    std::vector<PercussiveStrip> percussive_;  // its medians over frequency
    std::size_t frames_ = 0;                   // pushed so far
    std::size_t masked_ = 0;                   // of these, already in the energies
    double harmonic_energy_ = 0;
    double percussive_energy_ = 0;
    // Scratch, lane = frame, in both halves: bins with reflected edges, and their medians.
    AlignedVector<ShortLanes> column_, medians_;
};

}  // namespace auralis

// Harmonic-percussive separation by median filtering (Fitzgerald, DAFx 2010), reduced to the two energies.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

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
    // Frames are masked a block at a time, as soon as the 15 frames after the block are known.
    static constexpr std::size_t kBlockFrames = 2 * kMedianGroup;
    // Rows kept: the block, its reach before and after (one more each way for sliding_median_31), and the
    // frames by which a batch of eight overshoots.
    static constexpr std::size_t kHistory = kBlockFrames + 2 * (kReach + 1) + kLanes;
    static constexpr std::size_t kRowBins = (kBins + kLanes - 1) / kLanes * kLanes;
    static constexpr std::size_t kMedianOutputs = (kBins + kMedianGroup - 1) / kMedianGroup * kMedianGroup;

    // Frames by bins, the last kHistory frames; lane = bin.
    using Row = std::array<float, kRowBins>;
    using Ring = std::vector<Row>;
    static Row& row(Ring& ring, std::size_t frame) { return ring[frame % kHistory]; }
    static void store_rows(const Lanes* bins, const FrameBatch& batch, Ring& ring);

    void mask_block(std::size_t count, bool at_end);

    Ring magnitude_;   // |STFT|
    Ring percussive_;  // its medians over frequency
    std::size_t frames_ = 0;
    std::size_t masked_ = 0;  // frames already in the energies
    double harmonic_energy_ = 0;
    double percussive_energy_ = 0;
    std::vector<Lanes> column_, medians_;  // scratch, lane = frame: bins with reflected edges, their medians
};

}  // namespace auralis

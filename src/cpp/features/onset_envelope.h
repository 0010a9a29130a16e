// Onset strength: how much the mel spectrum rises from frame to frame.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "dsp/filter_banks.h"
#include "dsp/frames.h"
#include "dsp/shared_table.h"

namespace auralis {

class OnsetEnvelope {
public:
    void push(const FrameBatch& batch, const SpectrumBatch& spectrum);

    // One value a frame, dB >= 0, where librosa.onset.onset_strength has it.
    std::vector<float> finish() const;

private:
    // What a band must rise above to count, dB, for each of the frames.
    Lanes floors(std::span<const Lanes, kMelBands> mel, std::size_t count);

    const MelFilterBank& filters_ = shared_table<MelFilterBank>();
    std::array<float, kMelBands> previous_db_;  // the last frame of the batch before
    float loudest_ = 0;                         // mel power of the loudest band so far
    std::vector<float> rise_;                   // rise_[t]: from frame t to t + 1
    bool started_ = false;
};

}  // namespace auralis

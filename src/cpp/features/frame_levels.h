// RMS of every frame of y: which frames count, and how many are near-silent.
#pragma once

#include <cstddef>
#include <vector>

#include "dsp/frames.h"

namespace auralis {

class FrameLevels {
public:
    void push(const FrameBatch& batch);

    // Per frame, whether its RMS is above -60 dB relative to the loudest frame's.
    std::vector<bool> active() const;

    // Share of frames whose RMS is under -40 dB relative to the loudest frame's; 1 when all are zero.
    double silence_ratio() const;

private:
    double threshold(double ratio_db) const;

    std::vector<float> mean_square_;
};

}  // namespace auralis

// Spectral centroid, roll-off and flatness: medians over the active frames.
#pragma once

#include <cstddef>
#include <vector>

#include "dsp/frames.h"

namespace auralis {

class SpectralShape {
public:
    struct Values {
        double centroid;  // / 8000 Hz, 0 to 1
        double rolloff;   // / 10 000 Hz, 0 to 1
        double flatness;  // 0 to 1
    };

    void push(const FrameBatch& batch, const SpectrumBatch& spectrum);

    // active: one flag a frame pushed.
    Values finish(const std::vector<bool>& active) const;

private:
    std::vector<float> centroid_hz_, rolloff_hz_, flatness_;
};

}  // namespace auralis

// How evenly the energy is spread over the twelve pitch classes.
#pragma once

#include <vector>

#include "dsp/filter_banks.h"
#include "dsp/frames.h"
#include "dsp/shared_table.h"

namespace auralis {

class Chroma {
public:
    void push(const FrameBatch& batch, const SpectrumBatch& spectrum);

    // Mean over classes and active frames of the chroma vector scaled to maximum 1: 1/12 to 1.
    double finish(const std::vector<bool>& active) const;

private:
    const ChromaFilterBank& filters_ = shared_table<ChromaFilterBank>();
    std::vector<float> mean_class_;  // per frame
};

}  // namespace auralis

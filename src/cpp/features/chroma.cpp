#include "features/chroma.h"

#include <limits>

#include "base/undefined.h"

namespace auralis {

void Chroma::push(const FrameBatch& batch, const SpectrumBatch& spectrum) {
    std::array<Lanes, kPitchClasses> chroma;
    filters_.apply(spectrum.power, chroma);
    Lanes strongest(0.0F);
    Lanes total(0.0F);
    for (const Lanes& c : chroma) {
        strongest = max(strongest, c);
        total += c;
    }
    for (std::size_t i = 0; i < batch.count; ++i) {
        // librosa.util.normalize leaves vectors under the smallest normal number as they are.
        const float scale = strongest[i] < std::numeric_limits<float>::min() ? 1.0F : strongest[i];
        mean_class_.push_back(total[i] / (static_cast<float>(kPitchClasses) * scale));
    }
}

double Chroma::finish(const std::vector<bool>& active) const {
    double sum = 0;
    std::size_t frames = 0;
    for (std::size_t i = 0; i < mean_class_.size(); ++i) {
        if (!active[i]) continue;
        sum += static_cast<double>(mean_class_[i]);
        ++frames;
    }
    return frames == 0 ? kUndefined : sum / static_cast<double>(frames);
}

}  // namespace auralis

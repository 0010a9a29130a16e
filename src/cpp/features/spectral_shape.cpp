#include "features/spectral_shape.h"

#include <algorithm>

#include "base/undefined.h"
#include "dsp/statistics.h"

namespace auralis {

namespace {

constexpr float kBinHz = static_cast<float>(kAnalysisRate) / kFrameLength;
constexpr float kRolloffShare = 0.85F;
constexpr double kCentroidScaleHz = 8'000;
constexpr double kRolloffScaleHz = 10'000;
// librosa.feature.spectral_flatness replaces magnitudes under amin = 1e-10; here as power.
constexpr float kMinPower = 1e-20F;

// Geometric mean of the magnitudes: 2^(mean of log2), and log2 |A| = log2(power) / 2. Mantissas are
// multiplied and exponents added, so that a logarithm is due only every kRun bins.
Lanes geometric_mean(const SpectrumBatch& spectrum) {
    constexpr std::size_t kRun = 64;  // mantissas are below sqrt(2): 2^32 at most, above 2^-32 at least
    Lanes exponents(0.0F);
    for (std::size_t start = 0; start < kBins; start += kRun) {
        Lanes product(1.0F);
        for (std::size_t k = start; k < std::min(start + kRun, kBins); ++k) {
            const auto [mantissa, exponent] = decompose(max(spectrum.power[k], kMinPower));
            product *= mantissa;
            exponents += exponent;
        }
        exponents += log2(product);
    }
    Lanes mean;
    for (std::size_t lane = 0; lane < kLanes; ++lane)
        mean.set(lane, std::exp2(exponents[lane] * (0.5F / static_cast<float>(kBins))));
    return mean;
}

double median_of_active(const std::vector<float>& values, const std::vector<bool>& active) {
    std::vector<float> chosen;
    for (std::size_t i = 0; i < values.size(); ++i)
        if (active[i]) chosen.push_back(values[i]);
    return chosen.empty() ? kUndefined : median(chosen);
}

}  // namespace

void SpectralShape::push(const FrameBatch& batch, const SpectrumBatch& spectrum) {
    Lanes total(0.0F);
    Lanes moment(0.0F);
    for (std::size_t k = 0; k < kBins; ++k) {
        total += spectrum.magnitude[k];
        moment += spectrum.magnitude[k] * static_cast<float>(k);
    }
    // Roll-off: the first bin at which the running sum reaches the share; that is the number of bins before.
    const Lanes share = total * kRolloffShare;
    Lanes running(0.0F);
    Lanes bins_below(0.0F);
    for (std::size_t k = 0; k < kBins; ++k) {
        running += spectrum.magnitude[k];
        bins_below += select(running < share, 1.0F, 0.0F);
    }
    const Lanes geometric = geometric_mean(spectrum);
    for (std::size_t i = 0; i < batch.count; ++i) {
        const float sum = total[i];
        centroid_hz_.push_back(sum > 0 ? moment[i] / sum * kBinHz : 0);
        rolloff_hz_.push_back(bins_below[i] * kBinHz);
        flatness_.push_back(sum > 0 ? geometric[i] / (sum / static_cast<float>(kBins)) : 1);
    }
}

SpectralShape::Values SpectralShape::finish(const std::vector<bool>& active) const {
    // kUndefined, a NaN, passes through std::min as its first argument.
    return {std::min(median_of_active(centroid_hz_, active) / kCentroidScaleHz, 1.0),
            std::min(median_of_active(rolloff_hz_, active) / kRolloffScaleHz, 1.0),
            std::min(median_of_active(flatness_, active), 1.0)};
}

}  // namespace auralis

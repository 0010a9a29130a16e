#include "features/spectral_shape.h"

#include <algorithm>
#include <cmath>
#include <utility>

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

// Sums over the bins. Two of them take turns with the bins, so that an addition need not wait for the one before.
struct Sums {
    Lanes magnitude{0.0F};
    Lanes moment{0.0F};  // of the magnitude, by bins
    // Of the geometric mean 2^(mean of log2), where log2 |A| = log2(power) / 2. Mantissas are multiplied and exponents
    // added, so that a logarithm is due only every kRun bins.
    Lanes mantissas{1.0F};
    Lanes exponents{0.0F};

    void add(const SpectrumBatch& spectrum, std::size_t k) {
        magnitude += spectrum.magnitude[k];
        moment += spectrum.magnitude[k] * static_cast<float>(k);
        const auto [mantissa, exponent] = decompose(max(spectrum.power[k], kMinPower));
        mantissas *= mantissa;
        exponents += exponent;
    }

    void take_logarithm() { exponents += log2(std::exchange(mantissas, 1.0F)); }

    static Sums of(const SpectrumBatch& spectrum) {
        constexpr std::size_t kRun = 128;  // 64 mantissas below sqrt(2): 2^32 at most, above 2^-32 at least
        Sums even, odd;
        for (std::size_t k = 0; k + 1 < kBins;) {
            for (const std::size_t end = std::min(k + kRun, kBins - 1); k < end; k += 2) {
                even.add(spectrum, k);
                odd.add(spectrum, k + 1);
            }
            even.take_logarithm();
            odd.take_logarithm();
        }
        even.add(spectrum, kBins - 1);
        even.take_logarithm();
        even.magnitude += odd.magnitude;
        even.moment += odd.moment;
        even.exponents += odd.exponents;
        return even;
    }

    float geometric_mean(std::size_t lane) const {
        return std::exp2(exponents[lane] * (0.5F / static_cast<float>(kBins)));
    }
};

static_assert(kBins % 2 == 1);

// The first bin at which the running sum reaches `share`; that is the number of bins before.
Lanes bins_below(const SpectrumBatch& spectrum, const Lanes& share) {
    const auto& magnitude = spectrum.magnitude;
    Lanes running(0.0F);  // of the bins before a pair
    Lanes below(0.0F);
    const auto count = [&](const Lanes& sum) { below += select(sum < share, 1.0F, 0.0F); };
    for (std::size_t k = 0; k + 1 < kBins; k += 2) {
        count(running + magnitude[k]);
        running += magnitude[k] + magnitude[k + 1];
        count(running);
    }
    count(running + magnitude[kBins - 1]);
    return below;
}

double median_of_active(const std::vector<float>& values, const std::vector<bool>& active) {
    std::vector<float> chosen;
    for (std::size_t i = 0; i < values.size(); ++i)
        if (active[i]) chosen.push_back(values[i]);
    return chosen.empty() ? kUndefined : median(chosen);
}

}  // namespace

void SpectralShape::push(const FrameBatch& batch, const SpectrumBatch& spectrum) {
    const Sums sums = Sums::of(spectrum);
    const Lanes rolloff = bins_below(spectrum, sums.magnitude * kRolloffShare);
    for (std::size_t i = 0; i < batch.count; ++i) {
        const float sum = sums.magnitude[i];
        centroid_hz_.push_back(sum > 0 ? sums.moment[i] / sum * kBinHz : 0);
        rolloff_hz_.push_back(rolloff[i] * kBinHz);
        flatness_.push_back(sum > 0 ? sums.geometric_mean(i) / (sum / static_cast<float>(kBins)) : 1);
    }
}

SpectralShape::Values SpectralShape::finish(const std::vector<bool>& active) const {
    // kUndefined, a NaN, passes through std::min as its first argument.
    return {std::min(median_of_active(centroid_hz_, active) / kCentroidScaleHz, 1.0),
            std::min(median_of_active(rolloff_hz_, active) / kRolloffScaleHz, 1.0),
            std::min(median_of_active(flatness_, active), 1.0)};
}

}  // namespace auralis

#include "dsp/filter_banks.h"

#include <algorithm>
#include <cmath>

namespace auralis {

namespace {

constexpr double kBinHz = static_cast<double>(kAnalysisRate) / kFrameLength;

// Slaney's mel scale (Auditory Toolbox, 1998): linear to 1 kHz, logarithmic above.
constexpr double kMelsPerHz = 3.0 / 200;
constexpr double kBreakHz = 1000;
constexpr double kBreakMel = kBreakHz * kMelsPerHz;
const double kLogStep = std::log(6.4) / 27;

double hz_to_mel(double hz) { return hz < kBreakHz ? hz * kMelsPerHz : kBreakMel + std::log(hz / kBreakHz) / kLogStep; }
double mel_to_hz(double mel) {
    return mel < kBreakMel ? mel / kMelsPerHz : kBreakHz * std::exp(kLogStep * (mel - kBreakMel));
}

}  // namespace

MelFilterBank::MelFilterBank() {
    std::array<double, kMelBands + 2> corner_hz;
    const double top = hz_to_mel(kAnalysisRate / 2.0);
    for (std::size_t i = 0; i < corner_hz.size(); ++i)
        corner_hz[i] = mel_to_hz(top * static_cast<double>(i) / (kMelBands + 1));
    for (std::size_t b = 0; b < kMelBands; ++b) {
        const double low = corner_hz[b], centre = corner_hz[b + 1], high = corner_hz[b + 2];
        const double unit_area = 2 / (high - low);
        bands_[b] = {0, weights_.size(), 0};
        for (auto k = static_cast<std::size_t>(low / kBinHz); k < kBins; ++k) {
            const double hz = static_cast<double>(k) * kBinHz;
            if (hz >= high) break;
            const double weight = std::min((hz - low) / (centre - low), (high - hz) / (high - centre));
            if (weight <= 0) continue;
            if (bands_[b].count++ == 0) bands_[b].first_bin = k;
            weights_.push_back(static_cast<float>(weight * unit_area));
        }
    }
}

void MelFilterBank::apply(const std::array<Lanes, kBins>& power, std::array<Lanes, kMelBands>& mel) const {
    for (std::size_t b = 0; b < kMelBands; ++b) {
        const Band& band = bands_[b];
        Lanes sum(0.0F);
        for (std::size_t i = 0; i < band.count; ++i) sum += power[band.first_bin + i] * weights_[band.first_weight + i];
        mel[b] = sum;
    }
}

ChromaFilterBank::ChromaFilterBank() : weights_(kBins) {
    constexpr double kReferenceHz = 440.0 / 16;  // A0, where librosa's octaves count from
    constexpr double kCentreOctave = 5, kOctaveWidth = 2;
    constexpr double kClasses = kPitchClasses;
    // Position of every bin in semitones above A0; bin 0 is put one and a half octaves below bin 1.
    std::array<double, kBins + 1> semitone;
    for (std::size_t k = 1; k < semitone.size(); ++k)
        semitone[k] = kClasses * std::log2(static_cast<double>(k) * kBinHz / kReferenceHz);
    semitone[0] = semitone[1] - 1.5 * kClasses;
    for (std::size_t k = 0; k < kBins; ++k) {
        const double width = std::max(semitone[k + 1] - semitone[k], 1.0);
        const double octave = (semitone[k] / kClasses - kCentreOctave) / kOctaveWidth;
        const double octave_weight = std::exp(-0.5 * octave * octave);
        std::array<double, kPitchClasses> bump;
        double norm2 = 0;
        for (std::size_t c = 0; c < kPitchClasses; ++c) {
            // Distance to the class on the circle of pitch classes, -6 to 6.
            double d = std::fmod(semitone[k] - static_cast<double>(c) + kClasses / 2 + 10 * kClasses, kClasses);
            d = 2 * (d - kClasses / 2) / width;
            bump[c] = std::exp(-0.5 * d * d);
            norm2 += bump[c] * bump[c];
        }
        for (std::size_t c = 0; c < kPitchClasses; ++c)
            weights_[k][c] = static_cast<float>(bump[c] / std::sqrt(norm2) * octave_weight);
    }
}

void ChromaFilterBank::apply(const std::array<Lanes, kBins>& power, std::array<Lanes, kPitchClasses>& chroma) const {
    std::array<Lanes, kPitchClasses> sum;  // a local, so that it stays in registers
    sum.fill(Lanes(0.0F));
    for (std::size_t k = 0; k < kBins; ++k)
        for (std::size_t c = 0; c < kPitchClasses; ++c) sum[c] += power[k] * weights_[k][c];
    chroma = sum;
}

}  // namespace auralis

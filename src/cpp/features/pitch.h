// How steadily pitches are held, by YIN (de Cheveigne and Kawahara, JASA 111, 2002) as in librosa.yin.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "base/aligned_vector.h"
#include "dsp/frames.h"
#include "dsp/real_fft.h"

namespace auralis {

class Pitch {
public:
    Pitch();

    void push(const FrameBatch& batch);

    // Over pairs of consecutive active frames, the share whose pitches differ by less than 50 cents.
    double finish(const std::vector<bool>& active) const;

    // Period of each frame pushed, in samples of y.
    const std::vector<float>& periods() const { return periods_; }

private:
    // fmin = 65.406 Hz (C2) and fmax = 2093 Hz (C7) as librosa rounds them to lags.
    static constexpr std::size_t kMinPeriod = 10;
    static constexpr std::size_t kMaxPeriod = 338;
    static constexpr std::size_t kSegment = kHop;        // frames are made of four segments
    static constexpr std::size_t kFftLength = 2 * kHop;  // a segment and as many zeros
    static constexpr std::size_t kFftBins = kFftLength / 2 + 1;

    void transform_segments(const float* samples);
    void autocorrelate();
    void normalized_difference(const float* samples);
    void pick_periods(std::size_t count);

    RealFft fft_;
    AlignedVector<Lanes> segment_;                    // scratch: segments, lane = segment
    AlignedVector<Lanes> re_, im_;                    // spectra of the newest eight segments
    AlignedVector<Lanes> previous_re_, previous_im_;  // and of the eight before
    AlignedVector<Lanes> autocorrelation_;
    std::array<Lanes, kMaxPeriod + 1> difference_;  // cumulative mean normalised difference, by lag
    std::vector<float> periods_;
};

}  // namespace auralis

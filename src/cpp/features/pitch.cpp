#include "features/pitch.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/undefined.h"

namespace auralis {

namespace {

constexpr float kTroughThreshold = 0.1F;
constexpr double kMaxCents = 50;

}  // namespace

Pitch::Pitch()
    : fft_(kFftLength),
      segment_(kFftLength, Lanes(0.0F)),
      re_(kFftBins, Lanes(0.0F)),
      im_(kFftBins, Lanes(0.0F)),
      previous_re_(kFftBins, Lanes(0.0F)),
      previous_im_(kFftBins, Lanes(0.0F)),
      autocorrelation_(kFftLength) {}

void Pitch::push(const FrameBatch& batch) {
    transform_segments(batch.samples);
    autocorrelate();
    normalized_difference(batch.samples);
    pick_periods(batch.count);
}

// A batch covers eleven segments. The first three were the last three of the batch before.
void Pitch::transform_segments(const float* samples) {
    std::swap(re_, previous_re_);
    std::swap(im_, previous_im_);
    if (periods_.empty()) {  // no batch before: transform the first three, in lanes 5 to 7
        std::array<float, kLanes * kSegment> start{};
        std::copy_n(samples, 3 * kSegment, start.begin() + 5 * kSegment);
        load_frames(start.data(), kSegment, kSegment, segment_.data());
        fft_.forward(segment_.data(), [this](std::size_t k, Lanes re, Lanes im) {
            previous_re_[k] = re;
            previous_im_[k] = im;
        });
    }
    load_frames(samples + 3 * kSegment, kSegment, kSegment, segment_.data());
    fft_.forward(segment_.data(), [this](std::size_t k, Lanes re, Lanes im) {
        re_[k] = re;
        im_[k] = im;
    });
}

// A frame is four segments a, b, c, d of 512 samples. With their spectra A .. D over 1024 points, its
// autocorrelation at lags below 512 has the spectrum
//   |A|^2 + |B|^2 + |C|^2 + |D|^2 + (conj A B + conj B C + conj C D) w,   w = exp(-2 pi i k 512/1024) = (-1)^k:
// products within a segment, and of neighbours moved apart by one segment. Spectra of segments serve four frames.
void Pitch::autocorrelate() {
    const auto bin = [this](std::size_t k) {
        const std::array<Lanes, 4> re = {shift_in<5>(previous_re_[k], re_[k]), shift_in<6>(previous_re_[k], re_[k]),
                                         shift_in<7>(previous_re_[k], re_[k]), re_[k]};
        const std::array<Lanes, 4> im = {shift_in<5>(previous_im_[k], im_[k]), shift_in<6>(previous_im_[k], im_[k]),
                                         shift_in<7>(previous_im_[k], im_[k]), im_[k]};
        Lanes within(0.0F), between_re(0.0F), between_im(0.0F);
        for (std::size_t s = 0; s < 4; ++s) within += re[s] * re[s] + im[s] * im[s];
        for (std::size_t s = 0; s < 3; ++s) {
            between_re += re[s] * re[s + 1] + im[s] * im[s + 1];
            between_im += re[s] * im[s + 1] - im[s] * re[s + 1];
        }
        const float w = k % 2 == 0 ? 1.0F : -1.0F;
        return ComplexLanes(within + w * between_re, w * between_im);
    };
    fft_.inverse(bin, autocorrelation_.data());
}

// librosa's difference function d(k) = 2 (r(0) - r(k)) - sum of the frame's first k squares, divided by its
// mean over the lags 1 .. k.
void Pitch::normalized_difference(const float* samples) {
    constexpr float kScale = 1.0F / static_cast<float>(kFftLength);  // RealFft::inverse returns n times the signal
    constexpr std::size_t kLoaded = (kMaxPeriod + kLanes - 1) / kLanes * kLanes;
    static_assert(kLoaded <= kSegment);
    load_frames(samples, kHop, kLoaded, segment_.data());  // segment_ is free until the next batch
    const Lanes r0 = autocorrelation_[0] * kScale;
    Lanes squares(0.0F);
    Lanes total(0.0F);
    for (std::size_t k = 1; k <= kMaxPeriod; ++k) {
        squares += segment_[k - 1] * segment_[k - 1];
        const Lanes d = 2.0F * (r0 - autocorrelation_[k] * kScale) - squares;
        total += d;
        const Lanes mean = total * (1.0F / static_cast<float>(k));
        difference_[k] = d / (mean + std::numeric_limits<float>::min());
    }
}

// The first local minimum under the threshold, otherwise the global minimum; refined by a parabola.
void Pitch::pick_periods(std::size_t count) {
    const auto& d = difference_;
    Lanes best_value = d[kMinPeriod];
    Lanes best(static_cast<float>(kMinPeriod));
    Lanes trough(0.0F);  // 0: none yet
    for (std::size_t k = kMinPeriod; k <= kMaxPeriod; ++k) {
        const Lanes lag(static_cast<float>(k));
        const Mask lower = d[k] < best_value;
        best = select(lower, lag, best);
        best_value = min(d[k], best_value);
        // librosa: the first lag is a trough when it is below the second; others when they are below the
        // lag before and not above the one after, the last having none after it.
        Mask is_trough = d[k] < kTroughThreshold;
        if (k > kMinPeriod) is_trough = is_trough & (d[k] < d[k - 1]);
        if (k == kMinPeriod)
            is_trough = is_trough & (d[k] < d[k + 1]);
        else if (k < kMaxPeriod)
            is_trough = is_trough & (d[k] <= d[k + 1]);
        trough = select(is_trough & (trough < 1.0F), lag, trough);
    }
    for (std::size_t lane = 0; lane < count; ++lane) {
        const float lag = trough[lane] > 0 ? trough[lane] : best[lane];
        const auto k = static_cast<std::size_t>(lag);
        float shift = 0;
        if (k > kMinPeriod && k < kMaxPeriod) {
            const float curvature = d[k + 1][lane] + d[k - 1][lane] - 2 * d[k][lane];
            const float slope = (d[k + 1][lane] - d[k - 1][lane]) / 2;
            if (std::abs(slope) < std::abs(curvature)) shift = -slope / curvature;
        }
        periods_.push_back(lag + shift);
    }
}

double Pitch::finish(const std::vector<bool>& active) const {
    const double widest = std::exp2(kMaxCents / 1200);
    std::size_t pairs = 0;
    std::size_t steady = 0;
    for (std::size_t i = 1; i < periods_.size(); ++i) {
        if (!active[i - 1] || !active[i]) continue;
        const auto [low, high] = std::minmax(periods_[i - 1], periods_[i]);
        ++pairs;
        if (static_cast<double>(high) < static_cast<double>(low) * widest) ++steady;
    }
    return pairs == 0 ? kUndefined : static_cast<double>(steady) / static_cast<double>(pairs);
}

}  // namespace auralis

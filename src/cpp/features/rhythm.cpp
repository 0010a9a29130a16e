#include "features/rhythm.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "base/undefined.h"
#include "dsp/frames.h"
#include "dsp/real_fft.h"

namespace auralis {

namespace {

constexpr std::size_t kWindowFrames = 689;                      // round(16 s * frame rate)
constexpr std::size_t kWindowHop = 172;                         // round(4 s * frame rate)
constexpr std::array<double, 4> kScoredPeriods = {1, 2, 3, 4};  // multiples of a beat's period
constexpr std::array<double, 3> kPeriods = {1, 2, 4};           // those that tell how regular it is
constexpr std::array<double, 3> kHarmonics = {1, 2, 4};         // multiples of a beat's frequency
constexpr std::size_t kSpectrumSize = 8192;
constexpr std::size_t kTempoCandidates = 2000;
constexpr double kMinTempo = 40, kMaxTempo = 240, kPreferredTempo = 120, kHighestReported = 200;

// Lags whose window overlap is too small to trust are left out.
double longest_lag(std::size_t window) { return 0.75 * static_cast<double>(window) - 2; }

// One window of the envelope without its mean, and its autocorrelation, corrected for the shrinking overlap.
class Window {
public:
    explicit Window(std::span<const float> envelope) : x_(envelope.begin(), envelope.end()) {
        double sum = 0;
        for (const double v : x_) sum += v;
        const double mean = sum / static_cast<double>(x_.size());
        for (double& v : x_) v -= mean;
    }

    // Adds r[k] for k < sum.size() to sum.
    void add_autocorrelation(std::span<double> sum) const {
        std::vector<double> r(sum.size(), 0.0);
        for (std::size_t t = 0; t < x_.size(); ++t) {
            const std::size_t lags = std::min(r.size(), x_.size() - t);
            for (std::size_t k = 0; k < lags; ++k) r[k] += x_[t] * x_[t + k];
        }
        for (std::size_t k = 0; k < r.size(); ++k) sum[k] += r[k] * overlap_correction(k);
    }

    std::span<const double> values() const { return x_; }

    double autocorrelation(std::size_t k) const {
        double r = 0;
        for (std::size_t t = 0; t + k < x_.size(); ++t) r += x_[t] * x_[t + k];
        return r * overlap_correction(k);
    }

private:
    double overlap_correction(std::size_t k) const {
        return static_cast<double>(x_.size()) / static_cast<double>(x_.size() - k);
    }

    std::vector<double> x_;
};

// Sum over windows of their magnitude spectra, each window under a symmetric Hann window.
class PulseSpectrum {
public:
    explicit PulseSpectrum(std::size_t window)
        : hann_(window), in_(kSpectrumSize, Lanes(0.0F)), fft_(kSpectrumSize), sums_(kSpectrumSize / 2 + 1, 0.0) {
        const double step = std::numbers::pi / static_cast<double>(window - 1);
        for (std::size_t i = 0; i < window; ++i) hann_[i] = std::pow(std::sin(step * static_cast<double>(i)), 2);
    }

    void add(const Window& window) {
        const std::span<const double> x = window.values();
        for (std::size_t i = 0; i < x.size(); ++i) in_[i].set(waiting_, static_cast<float>(x[i] * hann_[i]));
        if (++waiting_ == kLanes) transform();
    }

    void finish() {
        if (waiting_ > 0) transform();
    }

    // Linear between the bins.
    double at(double hz) const {
        const double bin = hz * kSpectrumSize / kFrameRate;
        const auto k = static_cast<std::size_t>(bin);
        return std::lerp(sums_[k], sums_[k + 1], bin - static_cast<double>(k));
    }

private:
    void transform() {
        fft_.forward(in_.data(),
                     [this](std::size_t k, Lanes re, Lanes im) { sums_[k] += sum(sqrt(re * re + im * im)); });
        std::fill_n(in_.begin(), hann_.size(), Lanes(0.0F));
        waiting_ = 0;
    }

    std::vector<double> hann_;
    std::vector<Lanes> in_;  // lane = window
    std::size_t waiting_ = 0;
    RealFft fft_;
    std::vector<double> sums_;
};

// Catmull-Rom cubic interpolation of r at a fractional lag >= 1.
template <typename Autocorrelation>
double interpolate(const Autocorrelation& r, double lag) {
    const auto i = static_cast<std::size_t>(lag);
    const double u = lag - static_cast<double>(i);
    const double a = r(i - 1), b = r(i), c = r(i + 1), d = r(i + 2);
    return b + 0.5 * u * (c - a + u * (2 * a - 5 * b + 4 * c - d + u * (3 * (b - c) + d - a)));
}

struct PeriodSum {
    double sum = 0;
    int terms = 0;
};

// r at these multiples of the beat period of `bpm`, as far as they are in range.
template <typename Autocorrelation>
PeriodSum period_sum(const Autocorrelation& r, std::span<const double> multiples, double bpm, double lag_limit) {
    PeriodSum s;
    for (const double h : multiples) {
        const double lag = h * 60 * kFrameRate / bpm;
        if (lag >= lag_limit) continue;
        s.sum += interpolate(r, lag);
        ++s.terms;
    }
    return s;
}

}  // namespace

Pulse measure_pulse(std::span<const float> envelope, const std::function<void()>& poll) {
    constexpr Pulse kNone{kUndefined, kUndefined};
    const std::size_t window = std::min(kWindowFrames, envelope.size());
    const double lag_limit = longest_lag(window);
    if (lag_limit < 60 * kFrameRate / kMaxTempo) return kNone;

    std::vector<double> r(static_cast<std::size_t>(lag_limit) + 3, 0.0);
    PulseSpectrum spectrum(window);
    for (std::size_t start = 0; start + window <= envelope.size(); start += kWindowHop) {
        poll();
        const Window w(envelope.subspan(start, window));
        w.add_autocorrelation(r);
        spectrum.add(w);
    }
    spectrum.finish();
    if (r[0] <= 0) return kNone;

    double best_bpm = 0, best_score = 0;
    for (std::size_t i = 0; i < kTempoCandidates; ++i) {
        const double position = static_cast<double>(i) / (kTempoCandidates - 1);
        const double bpm = kMinTempo * std::pow(kMaxTempo / kMinTempo, position);
        const double octaves = std::log2(bpm / kPreferredTempo);
        const auto total = [&r](std::size_t k) { return r[k] / r[0]; };
        const double regular = period_sum(total, kScoredPeriods, bpm, lag_limit).sum;
        double strong = 0;
        for (const double h : kHarmonics) strong += spectrum.at(h * bpm / 60);
        const double score = std::max(0.0, regular) * strong * std::exp(-0.5 * octaves * octaves);
        if (score > best_score) {
            best_score = score;
            best_bpm = bpm;
        }
    }
    if (best_score <= 0) return kNone;

    double stability = 0;
    std::size_t counted = 0;
    for (std::size_t start = 0; start + window <= envelope.size(); start += kWindowHop) {
        poll();
        const Window w(envelope.subspan(start, window));
        const double energy = w.autocorrelation(0);
        if (energy <= 0) continue;
        const PeriodSum s =
            period_sum([&w](std::size_t k) { return w.autocorrelation(k); }, kPeriods, best_bpm, lag_limit);
        stability += s.sum / (energy * s.terms);
        ++counted;
    }
    double tempo = best_bpm;
    while (tempo > kHighestReported) tempo /= 2;
    return {tempo, std::clamp(stability / static_cast<double>(counted), 0.0, 1.0)};
}

std::size_t count_onsets(std::span<const float> envelope) {
    // librosa's defaults in frames at 22 050 Hz and hop 512: pre_max 30 ms, post_max 0 ms + 1, pre_avg 100 ms,
    // post_avg 100 ms + 1, wait 30 ms, delta 0.07 of the normalised envelope.
    constexpr std::size_t kPreMax = 1, kPostMax = 1, kPreAverage = 4, kPostAverage = 5, kWait = 1;
    constexpr double kDelta = 0.07;
    const auto [low, high] = std::ranges::minmax(envelope);
    if (!(high > low)) return 0;
    const double scale = 1 / (static_cast<double>(high) - static_cast<double>(low));
    const auto level = [&](std::size_t t) { return (static_cast<double>(envelope[t]) - low) * scale; };

    std::size_t onsets = 0;
    for (std::size_t t = 0; t < envelope.size();) {
        const std::size_t max_from = t >= kPreMax ? t - kPreMax : 0;
        const std::size_t max_to = std::min(t + kPostMax, envelope.size());
        const std::size_t average_from = t >= kPreAverage ? t - kPreAverage : 0;
        const std::size_t average_to = std::min(t + kPostAverage, envelope.size());
        bool onset = true;
        for (std::size_t i = max_from; i < max_to; ++i) onset = onset && envelope[i] <= envelope[t];
        if (onset) {
            double sum = 0;
            for (std::size_t i = average_from; i < average_to; ++i) sum += level(i);
            onset = level(t) >= sum / static_cast<double>(average_to - average_from) + kDelta;
        }
        onsets += onset ? 1 : 0;
        t += onset ? kWait + 1 : 1;
    }
    return onsets;
}

}  // namespace auralis

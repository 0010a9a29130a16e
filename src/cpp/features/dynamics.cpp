#include "features/dynamics.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/undefined.h"
#include "dsp/lanes.h"
#include "dsp/statistics.h"

namespace auralis {

namespace {

constexpr double kActiveRatio = 1e-3;        // -60 dB relative to the loudest block's RMS
constexpr double kCrestSpreadScaleDb = 6.0;  // by definition the standard deviation / 6
constexpr double kMaxLoudnessVariationDb = 10.0;

}  // namespace

Dynamics::Dynamics(int sample_rate)
    : window_samples_(static_cast<std::int64_t>(0.5 * sample_rate)), position_(sample_rate) {}

void Dynamics::Stretch::add(const Stretch& o) {
    energy += o.energy;
    peak = std::max(peak, o.peak);
}

Dynamics::Stretch Dynamics::measure(std::span<const float> mid) {
    Stretch s;
    std::size_t i = 0;
    std::array<Doubles, 2> energy{};  // so that no addition waits for the one before
    Lanes lowest(0.0F), highest(0.0F);
    for (; i + kLanes <= mid.size(); i += kLanes) {
        const float* at = mid.data() + i;
        for (std::size_t half = 0; half < 2; ++half) {
            const Doubles m = load_doubles(at + half * kLanes / 2);
            energy[half] += m * m;
        }
        lowest = min(lowest, Lanes::load(at));
        highest = max(highest, Lanes::load(at));
    }
    s.energy = sum(energy[0] + energy[1]);
    for (std::size_t lane = 0; lane < kLanes; ++lane) s.peak = std::max({s.peak, -lowest[lane], highest[lane]});
    for (const float x : mid.subspan(i)) {
        const auto m = static_cast<double>(x);
        s.energy += m * m;
        s.peak = std::max(s.peak, std::abs(x));
    }
    return s;
}

void Dynamics::push(std::span<const float> mid) {
    position_.advance(mid.size(), [&](std::size_t offset, std::size_t n, bool first) {
        const Stretch s = measure(mid.subspan(offset, n));
        total_.add(s);
        if (first) hops_.push_back({.whole = {}, .first_sample = s});
        hops_.back().whole.add(s);
    });
}

std::vector<Dynamics::Stretch> Dynamics::windows() const {
    const std::int64_t samples = position_.position();
    std::vector<Stretch> windows;
    if (samples < window_samples_) {  // shorter than a window: one window
        Stretch all;
        for (const Hop& hop : hops_) all.add(hop.whole);
        windows.push_back(all);
        return windows;
    }
    const std::int64_t count = 1 + (samples - window_samples_) / position_.length();
    const bool extra_sample = window_samples_ > 2 * position_.length();
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
        Stretch window = hops_[i].whole;
        window.add(hops_[i + 1].whole);
        if (extra_sample) window.add(hops_[i + 2].first_sample);
        windows.push_back(window);
    }
    return windows;
}

Dynamics::Values Dynamics::finish() const {
    Values v{kUndefined, kUndefined, kUndefined, kUndefined};
    const auto samples = static_cast<double>(position_.position());
    if (total_.peak > 0)
        v.crest_db =
            std::max(0.0, 10 * std::log10(static_cast<double>(total_.peak) * total_.peak / (total_.energy / samples)));

    const auto blocks = windows();
    const auto window_samples = std::min(samples, static_cast<double>(window_samples_));
    double loudest = 0;
    for (const Stretch& block : blocks) loudest = std::max(loudest, block.energy);
    std::vector<double> crest, level, peaks;
    for (const Stretch& block : blocks) {
        peaks.push_back(static_cast<double>(block.peak));
        if (!(block.energy > loudest * kActiveRatio * kActiveRatio)) continue;
        const double mean_square = block.energy / window_samples;
        level.push_back(10 * std::log10(mean_square));
        crest.push_back(20 * std::log10(peaks.back()) - level.back());
    }
    if (level.size() >= 2) {
        v.dynamic_range_variation = std::min(1.0, standard_deviation(crest) / kCrestSpreadScaleDb);
        v.loudness_variation_std = std::min(kMaxLoudnessVariationDb, standard_deviation(level));
    }
    if (total_.peak > 0) {
        const double average = mean(peaks);
        v.peak_consistency = average / (average + standard_deviation(peaks));
    }
    return v;
}

}  // namespace auralis

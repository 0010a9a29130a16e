#include "features/levels.h"

#include <algorithm>
#include <cmath>

#include "analysis/fingerprint.h"
#include "dsp/lanes.h"
#include "dsp/statistics.h"

namespace auralis {

namespace {

constexpr double kActiveRatio = 1e-3;        // -60 dB relative to the loudest block's RMS
constexpr double kCrestSpreadScaleDb = 6.0;  // spec: standard deviation / 6
constexpr double kMaxLoudnessVariationDb = 10.0;

}  // namespace

Levels::Levels(int sample_rate)
    : window_samples_(static_cast<std::int64_t>(0.5 * sample_rate)),
      hop_samples_(static_cast<std::int64_t>(0.25 * sample_rate)) {}

void Levels::Sums::add(const Sums& o) {
    left += o.left;
    right += o.right;
    left2 += o.left2;
    right2 += o.right2;
    product += o.product;
    mid2 += o.mid2;
    mid_peak = std::max(mid_peak, o.mid_peak);
    left_min = std::min(left_min, o.left_min);
    left_max = std::max(left_max, o.left_max);
    right_min = std::min(right_min, o.right_min);
    right_max = std::max(right_max, o.right_max);
}

void Levels::Stretch::add(const Stretch& o) {
    energy += o.energy;
    peak = std::max(peak, o.peak);
}

Levels::Sums Levels::measure(const float* left, const float* right, const float* mid, std::size_t n) {
    Sums s;
    std::size_t i = 0;
    if (n >= kLanes) {
        Doubles sum_l{}, sum_r{}, ll{}, rr{}, lr{}, mm{};
        Lanes l_min = Lanes::load(left), l_max = l_min;
        Lanes r_min = Lanes::load(right), r_max = r_min;
        Lanes m_min(0.0F), m_max(0.0F);
        for (; i + kLanes <= n; i += kLanes) {
            for (std::size_t half = i; half < i + kLanes; half += kLanes / 2) {
                const Doubles l = load_doubles(left + half);
                const Doubles r = load_doubles(right + half);
                const Doubles m = load_doubles(mid + half);
                sum_l += l;
                sum_r += r;
                ll += l * l;
                rr += r * r;
                lr += l * r;
                mm += m * m;
            }
            l_min = min(l_min, Lanes::load(left + i));
            l_max = max(l_max, Lanes::load(left + i));
            r_min = min(r_min, Lanes::load(right + i));
            r_max = max(r_max, Lanes::load(right + i));
            m_min = min(m_min, Lanes::load(mid + i));
            m_max = max(m_max, Lanes::load(mid + i));
        }
        s.left = sum(sum_l);
        s.right = sum(sum_r);
        s.left2 = sum(ll);
        s.right2 = sum(rr);
        s.product = sum(lr);
        s.mid2 = sum(mm);
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            s.left_min = std::min(s.left_min, l_min[lane]);
            s.left_max = std::max(s.left_max, l_max[lane]);
            s.right_min = std::min(s.right_min, r_min[lane]);
            s.right_max = std::max(s.right_max, r_max[lane]);
            s.mid_peak = std::max({s.mid_peak, -m_min[lane], m_max[lane]});
        }
    }
    for (; i < n; ++i) {
        const auto l = static_cast<double>(left[i]);
        const auto r = static_cast<double>(right[i]);
        const auto m = static_cast<double>(mid[i]);
        s.left += l;
        s.right += r;
        s.left2 += l * l;
        s.right2 += r * r;
        s.product += l * r;
        s.mid2 += m * m;
        s.left_min = std::min(s.left_min, left[i]);
        s.left_max = std::max(s.left_max, left[i]);
        s.right_min = std::min(s.right_min, right[i]);
        s.right_max = std::max(s.right_max, right[i]);
        s.mid_peak = std::max(s.mid_peak, std::abs(mid[i]));
    }
    return s;
}

void Levels::push(std::span<const float> left, std::span<const float> right, std::span<const float> mid) {
    std::size_t done = 0;
    while (done < mid.size()) {
        const std::int64_t in_hop = position_ % hop_samples_;
        if (in_hop == 0) hops_.emplace_back();
        std::size_t n = std::min(mid.size() - done, static_cast<std::size_t>(hop_samples_ - in_hop));
        const bool first_sample = in_hop == 0;
        if (first_sample) n = 1;
        const Sums s = measure(left.data() + done, right.data() + done, mid.data() + done, n);
        total_.add(s);
        hops_.back().whole.add({s.mid2, s.mid_peak});
        if (first_sample) hops_.back().first_sample = {s.mid2, s.mid_peak};
        done += n;
        position_ += static_cast<std::int64_t>(n);
    }
}

bool Levels::silent() const {
    return total_.left_min == 0 && total_.left_max == 0 && total_.right_min == 0 && total_.right_max == 0;
}

std::vector<Levels::Stretch> Levels::windows() const {
    std::vector<Stretch> windows;
    if (position_ < window_samples_) {  // shorter than a window: one window
        Stretch all;
        for (const Hop& hop : hops_) all.add(hop.whole);
        windows.push_back(all);
        return windows;
    }
    const std::int64_t count = 1 + (position_ - window_samples_) / hop_samples_;
    const bool extra_sample = window_samples_ > 2 * hop_samples_;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
        Stretch window = hops_[i].whole;
        window.add(hops_[i + 1].whole);
        if (extra_sample) window.add(hops_[i + 2].first_sample);
        windows.push_back(window);
    }
    return windows;
}

Levels::Values Levels::finish() const {
    Values v{kUndefined, kUndefined, kUndefined, kUndefined, kUndefined, kUndefined};
    const auto samples = static_cast<double>(position_);
    if (!silent() && total_.mid_peak > 0)
        v.crest_db = std::max(
            0.0, 10 * std::log10(static_cast<double>(total_.mid_peak) * total_.mid_peak / (total_.mid2 / samples)));

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
    if (total_.mid_peak > 0) {
        const double average = mean(peaks);
        v.peak_consistency = average / (average + standard_deviation(peaks));
    }

    // M = sum ((L+R)/2)^2 and S = sum ((L-R)/2)^2 share the factor 1/4 and the sums of squares.
    const double mid = total_.left2 + total_.right2 + 2 * total_.product;
    const double side = total_.left2 + total_.right2 - 2 * total_.product;
    if (!silent()) v.stereo_width = std::clamp(side / (mid + side), 0.0, 1.0);

    if (total_.left_min < total_.left_max && total_.right_min < total_.right_max) {
        const double var_left = total_.left2 - total_.left * total_.left / samples;
        const double var_right = total_.right2 - total_.right * total_.right / samples;
        const double covariance = total_.product - total_.left * total_.right / samples;
        v.phase_correlation = std::clamp(covariance / std::sqrt(var_left * var_right), -1.0, 1.0);
    }
    return v;
}

}  // namespace auralis

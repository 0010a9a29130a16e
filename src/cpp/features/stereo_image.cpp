#include "features/stereo_image.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/undefined.h"
#include "dsp/lanes.h"

namespace auralis {

void StereoImage::Sums::add(const Sums& o) {
    left += o.left;
    right += o.right;
    left2 += o.left2;
    right2 += o.right2;
    product += o.product;
}

void StereoImage::Constancy::push(std::span<const float> samples) {
    if (!constant || samples.empty()) return;
    if (!value) value = samples[0];
    constant = std::ranges::all_of(samples, [first = *value](float x) { return x == first; });
}

StereoImage::Sums StereoImage::measure(std::span<const float> left, std::span<const float> right) {
    Sums s;
    std::size_t i = 0;
    // Two of each sum, so that no addition waits for the one before.
    std::array<Doubles, 2> sum_l{}, sum_r{}, ll{}, rr{}, lr{};
    for (; i + kLanes <= left.size(); i += kLanes) {
        for (std::size_t half = 0; half < 2; ++half) {
            const Doubles l = load_doubles(left.data() + i + half * kLanes / 2);
            const Doubles r = load_doubles(right.data() + i + half * kLanes / 2);
            sum_l[half] += l;
            sum_r[half] += r;
            ll[half] += l * l;
            rr[half] += r * r;
            lr[half] += l * r;
        }
    }
    s.left = sum(sum_l[0] + sum_l[1]);
    s.right = sum(sum_r[0] + sum_r[1]);
    s.left2 = sum(ll[0] + ll[1]);
    s.right2 = sum(rr[0] + rr[1]);
    s.product = sum(lr[0] + lr[1]);
    for (; i < left.size(); ++i) {
        const auto l = static_cast<double>(left[i]);
        const auto r = static_cast<double>(right[i]);
        s.left += l;
        s.right += r;
        s.left2 += l * l;
        s.right2 += r * r;
        s.product += l * r;
    }
    return s;
}

void StereoImage::push(std::span<const float> left, std::span<const float> right) {
    position_.advance(left.size(), [&](std::size_t offset, std::size_t n, bool) {
        total_.add(measure(left.subspan(offset, n), right.subspan(offset, n)));
    });
    left_.push(left);
    right_.push(right);
}

StereoImage::Values StereoImage::finish() const {
    Values v{kUndefined, kUndefined};
    const auto samples = static_cast<double>(position_.position());
    // M = sum ((L+R)/2)^2 and S = sum ((L-R)/2)^2 share the factor 1/4 and the sums of squares.
    const double mid = total_.left2 + total_.right2 + 2 * total_.product;
    const double side = total_.left2 + total_.right2 - 2 * total_.product;
    if (!(left_.silent() && right_.silent())) v.stereo_width = std::clamp(side / (mid + side), 0.0, 1.0);

    if (!left_.constant && !right_.constant) {
        const double var_left = total_.left2 - total_.left * total_.left / samples;
        const double var_right = total_.right2 - total_.right * total_.right / samples;
        const double covariance = total_.product - total_.left * total_.right / samples;
        v.phase_correlation = std::clamp(covariance / std::sqrt(var_left * var_right), -1.0, 1.0);
    }
    return v;
}

}  // namespace auralis

#include "features/stereo_image.h"

#include <algorithm>
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
    left_min = std::min(left_min, o.left_min);
    left_max = std::max(left_max, o.left_max);
    right_min = std::min(right_min, o.right_min);
    right_max = std::max(right_max, o.right_max);
}

StereoImage::Sums StereoImage::measure(std::span<const float> left, std::span<const float> right) {
    Sums s;
    std::size_t i = 0;
    if (left.size() >= kLanes) {
        Doubles sum_l{}, sum_r{}, ll{}, rr{}, lr{};
        Lanes l_min = Lanes::load(left.data()), l_max = l_min;
        Lanes r_min = Lanes::load(right.data()), r_max = r_min;
        for (; i + kLanes <= left.size(); i += kLanes) {
            const float* l_at = left.data() + i;
            const float* r_at = right.data() + i;
            for (const std::size_t half : {std::size_t{0}, kLanes / 2}) {
                const Doubles l = load_doubles(l_at + half);
                const Doubles r = load_doubles(r_at + half);
                sum_l += l;
                sum_r += r;
                ll += l * l;
                rr += r * r;
                lr += l * r;
            }
            l_min = min(l_min, Lanes::load(l_at));
            l_max = max(l_max, Lanes::load(l_at));
            r_min = min(r_min, Lanes::load(r_at));
            r_max = max(r_max, Lanes::load(r_at));
        }
        s.left = sum(sum_l);
        s.right = sum(sum_r);
        s.left2 = sum(ll);
        s.right2 = sum(rr);
        s.product = sum(lr);
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            s.left_min = std::min(s.left_min, l_min[lane]);
            s.left_max = std::max(s.left_max, l_max[lane]);
            s.right_min = std::min(s.right_min, r_min[lane]);
            s.right_max = std::max(s.right_max, r_max[lane]);
        }
    }
    for (; i < left.size(); ++i) {
        const auto l = static_cast<double>(left[i]);
        const auto r = static_cast<double>(right[i]);
        s.left += l;
        s.right += r;
        s.left2 += l * l;
        s.right2 += r * r;
        s.product += l * r;
        s.left_min = std::min(s.left_min, left[i]);
        s.left_max = std::max(s.left_max, left[i]);
        s.right_min = std::min(s.right_min, right[i]);
        s.right_max = std::max(s.right_max, right[i]);
    }
    return s;
}

void StereoImage::push(std::span<const float> left, std::span<const float> right) {
    position_.advance(left.size(), [&](std::size_t offset, std::size_t n, bool) {
        total_.add(measure(left.subspan(offset, n), right.subspan(offset, n)));
    });
}

StereoImage::Values StereoImage::finish() const {
    Values v{kUndefined, kUndefined};
    const auto samples = static_cast<double>(position_.position());
    // M = sum ((L+R)/2)^2 and S = sum ((L-R)/2)^2 share the factor 1/4 and the sums of squares.
    const double mid = total_.left2 + total_.right2 + 2 * total_.product;
    const double side = total_.left2 + total_.right2 - 2 * total_.product;
    const bool silent = total_.left_min == 0 && total_.left_max == 0 && total_.right_min == 0 && total_.right_max == 0;
    if (!silent) v.stereo_width = std::clamp(side / (mid + side), 0.0, 1.0);

    if (total_.left_min < total_.left_max && total_.right_min < total_.right_max) {
        const double var_left = total_.left2 - total_.left * total_.left / samples;
        const double var_right = total_.right2 - total_.right * total_.right / samples;
        const double covariance = total_.product - total_.left * total_.right / samples;
        v.phase_correlation = std::clamp(covariance / std::sqrt(var_left * var_right), -1.0, 1.0);
    }
    return v;
}

}  // namespace auralis

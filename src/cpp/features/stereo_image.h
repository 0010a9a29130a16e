// Width and correlation of a stereo pair.
#pragma once

#include <limits>
#include <span>

#include "features/hops.h"

namespace auralis {

class StereoImage {
public:
    struct Values {
        double stereo_width;       // kUndefined when every sample is 0
        double phase_correlation;  // kUndefined when a channel is constant
    };

    explicit StereoImage(int sample_rate) : position_(sample_rate) {}

    // Two spans of the same length.
    void push(std::span<const float> left, std::span<const float> right);

    Values finish() const;

private:
    struct Sums {
        double left = 0, right = 0;    // sums of samples
        double left2 = 0, right2 = 0;  // sums of squares
        double product = 0;            // sum of L * R
        float left_min = std::numeric_limits<float>::infinity(), left_max = -left_min;
        float right_min = left_min, right_max = -left_min;
        void add(const Sums& other);
    };

    static Sums measure(std::span<const float> left, std::span<const float> right);

    Hops position_;  // the sum of the hops' sums is more exact than one over the whole recording
    Sums total_;
};

}  // namespace auralis

// Width and correlation of a stereo pair.
#pragma once

#include <optional>
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
        void add(const Sums& other);
    };

    // Whether a channel ever changes, looked at until it does.
    struct Constancy {
        std::optional<float> value;  // of every sample so far, while constant
        bool constant = true;
        void push(std::span<const float> samples);
        bool silent() const { return constant && value.value_or(0) == 0; }
    };

    static Sums measure(std::span<const float> left, std::span<const float> right);

    Hops position_;  // the sum of the hops' sums is more exact than one over the whole recording
    Sums total_;
    Constancy left_, right_;
};

}  // namespace auralis

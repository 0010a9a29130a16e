// Level, slow dynamics and stereo image: everything that follows from sums and peaks of the samples.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace auralis {

class Levels {
public:
    struct Values {
        double crest_db;
        double dynamic_range_variation;
        double loudness_variation_std;
        double peak_consistency;
        double stereo_width;
        double phase_correlation;
    };

    explicit Levels(int sample_rate);

    // Three spans of the same length: the stereo pair and m = (L + R) / 2.
    void push(std::span<const float> left, std::span<const float> right, std::span<const float> mid);

    Values finish() const;

    // Whether every sample so far is exactly 0.
    bool silent() const;

private:
    struct Sums {
        double left = 0, right = 0;    // sums of samples
        double left2 = 0, right2 = 0;  // sums of squares
        double product = 0;            // sum of L * R
        double mid2 = 0;               // sum of squares of m
        float mid_peak = 0;            // max |m|
        float left_min = std::numeric_limits<float>::infinity(), left_max = -left_min;
        float right_min = left_min, right_max = -left_min;
        void add(const Sums& other);
    };
    // Energy and peak of m over a stretch of samples.
    struct Stretch {
        double energy = 0;
        float peak = 0;
        void add(const Stretch& other);
    };
    // A hop of 0.25 s. Windows are two hops long, at some sample rates plus one sample, which is the first
    // of the third hop.
    struct Hop {
        Stretch whole, first_sample;
    };

    static Sums measure(const float* left, const float* right, const float* mid, std::size_t n);
    std::vector<Stretch> windows() const;

    std::int64_t window_samples_, hop_samples_;
    std::int64_t position_ = 0;
    Sums total_;
    std::vector<Hop> hops_;
};

}  // namespace auralis

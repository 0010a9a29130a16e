// Crest factor and slow dynamics, from the energy and the peak of m = (L + R) / 2 over stretches of time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "features/hops.h"

namespace auralis {

class Dynamics {
public:
    struct Values {
        double crest_db;
        double dynamic_range_variation;
        double loudness_variation_std;
        double peak_consistency;
    };

    explicit Dynamics(int sample_rate);

    void push(std::span<const float> mid);

    // kUndefined if there is only silence; the variations also with fewer than two active windows.
    Values finish() const;

private:
    // Energy and peak of a stretch of samples.
    struct Stretch {
        double energy = 0;
        float peak = 0;
        void add(const Stretch& other);
    };
    // Windows are two hops long, at some sample rates plus one sample, which is the first of the third hop.
    struct Hop {
        Stretch whole, first_sample;
    };

    static Stretch measure(std::span<const float> mid);
    std::vector<Stretch> windows() const;

    std::int64_t window_samples_;
    Hops position_;
    Stretch total_;
    std::vector<Hop> hops_;
};

}  // namespace auralis

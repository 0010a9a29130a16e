// Integrated loudness, ITU-R BS.1770-5.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "io/channel_layout.h"

namespace auralis {

class Loudness {
public:
    Loudness(int sample_rate, const std::vector<double>& channel_weights);

    // One span of samples a channel, all of the same length.
    void push(std::span<const std::span<const float>> channels);

    // LUFS; kUndefined when no gating block is above -70 LUFS.
    double finish() const;

private:
    // Two channels side by side.
    using Pair __attribute__((vector_size(2 * sizeof(double)))) = double;

    // Biquad section in the form y = b0 x + s1, s1' = c1 x + s2 - a1 s1, s2' = c2 x - a2 s1: the recursion
    // passes through one multiply-add a sample instead of the two of the transposed direct form.
    struct Section {
        double b0, c1, c2, a1, a2;
        static Section from(double b0, double b1, double b2, double a1, double a2) {
            return {b0, b1 - a1 * b0, b2 - a2 * b0, a1, a2};
        }
    };
    struct State {
        Pair s1{}, s2{};
    };
    struct ChannelPair {
        std::size_t left, right;  // channel indices; equal when the last channel has no partner
        double left_weight, right_weight;
        State shelf, high_pass;
        Pair energy{};  // of the current step, K-weighted
    };

    static Section shelf_at(int sample_rate);
    static Section high_pass_at(int sample_rate);
    void filter(ChannelPair& pair, const float* left, const float* right, std::size_t n);
    std::int64_t step_end(std::size_t step) const;
    double weighted_energy() const;

    int sample_rate_;
    Section shelf_, high_pass_;
    std::vector<ChannelPair> pairs_;
    std::int64_t position_ = 0;
    std::vector<double> step_energy_;  // weighted sum of squares of each finished 100 ms
};

}  // namespace auralis

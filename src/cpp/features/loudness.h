// Integrated loudness, ITU-R BS.1770-5.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dsp/lanes.h"

namespace auralis {

class Loudness {
public:
    Loudness(int sample_rate, const std::vector<double>& channel_weights);

    // One span of samples a channel, all of the same length.
    void push(std::span<const std::span<const float>> channels);

    // LUFS; kUndefined when no gating block is above -70 LUFS.
    double finish();

private:
    // Two channels and two filters side by side: {shelf left, shelf right, high-pass left, high-pass right}.
    // The high-pass runs four samples behind the shelf, so that the two seldom wait for each other.
    static constexpr std::size_t kLag = 4;
    using Quad = Doubles;

    // A biquad y = x + b1 x' + b2 x'' - a1 y' - a2 y'' times `gain`, written on its state s as
    //   y = x + s',  s = c1 x + c2 x' - a1 s' - a2 s'',  c1 = b1 - a1,  c2 = b2 - a2,
    // so that one multiply-add a sample, that with a1, has to wait for the sample before. The gain is applied
    // to the energy.
    struct Section {
        double gain, c1, c2, a1, a2;
        static Section from(double b0, double b1, double b2, double a1, double a2) {
            return {b0, b1 / b0 - a1, b2 / b0 - a2, a1, a2};
        }
    };
    struct ChannelPair {
        std::size_t left, right;  // channel indices; equal when the last channel has no partner
        double left_weight, right_weight;
        Quad x1{};                   // x'
        Quad s1{}, s2{};             // s', s''
        std::array<Quad, kLag> y{};  // the last outputs, oldest first
        Quad energy{};               // sums of y^2 over the current step
    };

    static Section shelf_at(int sample_rate);
    static Section high_pass_at(int sample_rate);
    void filter(ChannelPair& pair, const float* left, const float* right, std::size_t n) const;
    void advance(std::span<const std::span<const float>> channels, std::size_t offset, std::size_t n);
    std::int64_t step_end(std::size_t step) const;
    double weighted_energy() const;

    int sample_rate_;
    std::size_t channels_;
    Quad c1_, c2_, a1_, a2_;
    double energy_gain_;
    std::vector<ChannelPair> pairs_;
    std::int64_t samples_ = 0;
    std::vector<double> step_energy_;  // weighted sum of squares of each finished 100 ms
};

}  // namespace auralis

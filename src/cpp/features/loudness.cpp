#include "features/loudness.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "base/undefined.h"

namespace auralis {

namespace {

constexpr std::int64_t kStepsPerSecond = 10;
constexpr std::size_t kStepsPerBlock = 4;  // gating blocks of 400 ms, 75 % overlap
constexpr double kAbsoluteGate = -70.0;    // LUFS
constexpr double kRelativeGate = -10.0;    // LU
constexpr double kOffset = -0.691;         // dB, BS.1770 equation 2

double to_lufs(double mean_square) { return kOffset + 10 * std::log10(mean_square); }

}  // namespace

// BS.1770 tabulates the two filters at 48 kHz only. Their analogue parameters, from which any rate's filter
// follows by the bilinear transform, are those found by B. De Man, "Evaluation of Implementations of the EBU
// R128 Loudness Measurement", AES 145 (2018).
Loudness::Section Loudness::shelf_at(int sample_rate) {
    constexpr double kHz = 1681.9744509555319;
    constexpr double kGainDb = 3.99984385397;
    constexpr double kQ = 0.7071752369554193;
    if (kHz >= sample_rate / 2.0) return Section::from(1, 0, 0, 0, 0);  // the shelf lies beyond Nyquist
    const double k = std::tan(std::numbers::pi * kHz / sample_rate);
    const double vh = std::pow(10.0, kGainDb / 20);
    const double vb = std::pow(vh, 0.499666774155);
    const double a0 = 1 + k / kQ + k * k;
    return Section::from((vh + vb * k / kQ + k * k) / a0, 2 * (k * k - vh) / a0, (vh - vb * k / kQ + k * k) / a0,
                         2 * (k * k - 1) / a0, (1 - k / kQ + k * k) / a0);
}

Loudness::Section Loudness::high_pass_at(int sample_rate) {
    constexpr double kHz = 38.13547087613982;
    constexpr double kQ = 0.5003270373253953;
    const double k = std::tan(std::numbers::pi * kHz / sample_rate);
    const double a0 = 1 + k / kQ + k * k;
    return Section::from(1, -2, 1, 2 * (k * k - 1) / a0, (1 - k / kQ + k * k) / a0);
}

Loudness::Loudness(int sample_rate, const std::vector<double>& channel_weights)
    : sample_rate_(sample_rate), channels_(channel_weights.size()) {
    const Section shelf = shelf_at(sample_rate);
    const Section high = high_pass_at(sample_rate);
    const auto quad = [&](double Section::* c) { return Quad{shelf.*c, shelf.*c, high.*c, high.*c}; };
    c1_ = quad(&Section::c1);
    c2_ = quad(&Section::c2);
    a1_ = quad(&Section::a1);
    a2_ = quad(&Section::a2);
    energy_gain_ = shelf.gain * shelf.gain * high.gain * high.gain;
    std::vector<std::size_t> measured;
    for (std::size_t c = 0; c < channel_weights.size(); ++c)
        if (channel_weights[c] > 0) measured.push_back(c);
    for (std::size_t i = 0; i < measured.size(); i += 2) {
        const std::size_t left = measured[i];
        const bool partner = i + 1 < measured.size();
        const std::size_t right = partner ? measured[i + 1] : left;
        ChannelPair& pair = pairs_.emplace_back();
        pair.left = left;
        pair.right = right;
        pair.left_weight = channel_weights[left];
        pair.right_weight = partner ? channel_weights[right] : 0.0;
    }
}

void Loudness::push(std::span<const std::span<const float>> channels) {
    const std::size_t frames = channels[0].size();
    for (std::size_t done = 0; done < frames;) {
        // A step's energy is complete when the high-pass has caught up with its last sample.
        const std::int64_t end = step_end(step_energy_.size()) + static_cast<std::int64_t>(kLag);
        const std::size_t n = std::min(frames - done, static_cast<std::size_t>(end - samples_));
        advance(channels, done, n);
        done += n;
        if (samples_ == end) {
            step_energy_.push_back(weighted_energy());
            for (ChannelPair& pair : pairs_) pair.energy = Quad{};
        }
    }
}

void Loudness::advance(std::span<const std::span<const float>> channels, std::size_t offset, std::size_t n) {
    for (ChannelPair& pair : pairs_)
        filter(pair, channels[pair.left].data() + offset, channels[pair.right].data() + offset, n);
    samples_ += static_cast<std::int64_t>(n);
}

void Loudness::filter(ChannelPair& pair, const float* left, const float* right, std::size_t n) const {
    // Locals, so that the state stays in registers.
    const Quad c1 = c1_, c2 = c2_, a1 = a1_, a2 = a2_;
    Quad x1 = pair.x1, s1 = pair.s1, s2 = pair.s2, energy = pair.energy;
    auto [y4, y3, y2, y1] = pair.y;
    const auto step = [&](Quad x) {
        const Quad y = x + s1;
        // In this order s1 and s2 each pass through as few operations as there are.
        const Quad s = ((c1 * x + c2 * x1) - a2 * s2) - a1 * s1;
        x1 = x;
        s2 = s1;
        s1 = s;
        energy += y * y;
        return y;
    };
    std::size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        const Quad l = load_doubles(left + i);
        const Quad r = load_doubles(right + i);
        const Quad even = __builtin_shufflevector(l, r, 0, 4, 2, 6);
        const Quad odd = __builtin_shufflevector(l, r, 1, 5, 3, 7);
        y4 = step(__builtin_shufflevector(even, y4, 0, 1, 4, 5));
        y3 = step(__builtin_shufflevector(odd, y3, 0, 1, 4, 5));
        y2 = step(__builtin_shufflevector(even, y2, 2, 3, 4, 5));
        y1 = step(__builtin_shufflevector(odd, y1, 2, 3, 4, 5));
    }
    for (; i < n; ++i) {
        const Quad y = step(Quad{static_cast<double>(left[i]), static_cast<double>(right[i]), y4[0], y4[1]});
        y4 = std::exchange(y3, std::exchange(y2, std::exchange(y1, y)));
    }
    pair.x1 = x1;
    pair.s1 = s1;
    pair.s2 = s2;
    pair.y = {y4, y3, y2, y1};
    pair.energy = energy;
}

std::int64_t Loudness::step_end(std::size_t step) const {
    return sample_rate_ * static_cast<std::int64_t>(step + 1) / kStepsPerSecond;
}

double Loudness::weighted_energy() const {
    double sum = 0;
    for (const ChannelPair& pair : pairs_)
        sum += pair.left_weight * pair.energy[2] + pair.right_weight * pair.energy[3];
    return sum * energy_gain_;
}

double Loudness::finish() {
    const std::int64_t samples = samples_;
    const std::array<float, kLag> zeros{};
    const std::vector<std::span<const float>> flush(channels_, zeros);
    push(flush);
    if (step_energy_.size() < kStepsPerBlock) {  // shorter than a gating block: one ungated block
        const double energy = std::accumulate(step_energy_.begin(), step_energy_.end(), weighted_energy());
        const double lufs = to_lufs(energy / static_cast<double>(samples));
        return lufs > kAbsoluteGate ? lufs : kUndefined;
    }
    std::vector<double> blocks;
    for (std::size_t i = 0; i + kStepsPerBlock <= step_energy_.size(); ++i) {
        const auto first = step_energy_.begin() + static_cast<std::ptrdiff_t>(i);
        const std::int64_t length = step_end(i + kStepsPerBlock - 1) - (i == 0 ? 0 : step_end(i - 1));
        blocks.push_back(std::accumulate(first, first + kStepsPerBlock, 0.0) / static_cast<double>(length));
    }
    const auto mean_above = [&](double gate) {
        double sum = 0;
        std::size_t count = 0;
        for (const double block : blocks) {
            if (to_lufs(block) <= gate) continue;
            sum += block;
            ++count;
        }
        return count == 0 ? 0.0 : sum / static_cast<double>(count);
    };
    const double above_absolute = mean_above(kAbsoluteGate);
    if (above_absolute == 0) return kUndefined;
    return to_lufs(mean_above(std::max(kAbsoluteGate, to_lufs(above_absolute) + kRelativeGate)));
}

}  // namespace auralis

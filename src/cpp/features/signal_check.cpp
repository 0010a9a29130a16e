#include "features/signal_check.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include "base/error.h"
#include "dsp/lanes.h"

namespace auralis {

namespace {

// Far above any recording, and low enough that no square or sum of squares overflows a float.
constexpr float kLargestSample = 1e6F;
// Samples are summed as integers of this step, which gives the same sum in any order.
constexpr float kStep = 0x1p-22F;
// Samples at a time: the sum of 128 values per lane, none beyond kLargestQuick, fits into 32 bits.
constexpr std::size_t kChunk = 128 * kLanes;
constexpr float kLargestQuick = 2;
// In a chunk with samples at full scale, runs are searched for in pieces of this length.
constexpr std::size_t kPiece = 4 * kLanes;

constexpr std::int32_t kWithoutSign = 0x7fffffff;

constexpr std::int32_t magnitude(float x) { return std::bit_cast<std::int32_t>(x) & kWithoutSign; }

// The largest magnitude of value(i), i < n, where value gives Lanes or a float.
template <typename InLanes, typename Single>
std::int32_t largest(std::size_t n, InLanes&& in_lanes, Single&& single) {
    Mask top{};
    std::size_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
        const Lanes x = in_lanes(i);
        for (std::size_t p = 0; p < kParts; ++p) {
            const Mask::Native m = std::bit_cast<Mask::Native>(x.part[p]) & kWithoutSign;
            top.part[p] = m > top.part[p] ? m : top.part[p];
        }
    }
    std::int32_t result = 0;
    for (std::size_t lane = 0; lane < kLanes; ++lane)
        result = std::max(result, top.part[lane / kPartLanes][lane % kPartLanes]);
    for (; i < n; ++i) result = std::max(result, magnitude(single(i)));
    return result;
}

std::int32_t peak_of(std::span<const float> x) {
    return largest(x.size(), [x](std::size_t i) { return Lanes::load(&x[i]); }, [x](std::size_t i) { return x[i]; });
}

std::int32_t difference_of(std::span<const float> x, std::span<const float> y) {
    return largest(
        x.size(), [x, y](std::size_t i) { return Lanes::load(&x[i]) - Lanes::load(&y[i]); },
        [x, y](std::size_t i) { return x[i] - y[i]; });
}

// Sum of a chunk in units of kStep; `peak` is its largest magnitude.
std::int64_t sum_of(std::span<const float> x, std::int32_t peak) {
    std::int64_t sum = 0;
    std::size_t i = 0;
    if (peak <= magnitude(kLargestQuick)) {
        Mask sums{};
        for (; i + kLanes <= x.size(); i += kLanes) {
            const Lanes steps = Lanes::load(&x[i]) * (1 / kStep);
            for (std::size_t p = 0; p < kParts; ++p)
                sums.part[p] += __builtin_convertvector(steps.part[p], Mask::Native);
        }
        for (std::size_t lane = 0; lane < kLanes; ++lane) sum += sums.part[lane / kPartLanes][lane % kPartLanes];
    }
    for (; i < x.size(); ++i) sum += static_cast<std::int64_t>(x[i] * (1 / kStep));
    return sum;
}

}  // namespace

void SignalCheck::push(std::span<const std::span<const float>> channels) {
    const std::size_t n = channels[0].size();
    for (std::size_t c = 0; c < channels.size(); ++c) {
        for (std::size_t i = 0; i < n; i += kChunk) {
            const auto chunk = channels[c].subspan(i, std::min(kChunk, n - i));
            measure(chunk, channels_[c]);
        }
        if (channels_[c].peak > magnitude(kLargestSample)) refuse(channels);
        if (c > 0 && channels_[c].difference <= magnitude(kSameSignal))
            channels_[c].difference = std::max(channels_[c].difference, difference_of(channels[c], channels[0]));
    }
    samples_ += static_cast<std::int64_t>(n);
}

void SignalCheck::measure(std::span<const float> samples, Channel& channel) const {
    const Magnitude peak = peak_of(samples);
    channel.peak = std::max(channel.peak, peak);
    if (peak > magnitude(kLargestSample)) return;
    channel.sum += static_cast<double>(sum_of(samples, peak));
    if (peak < magnitude(kFullScale)) {
        channel.run = 0;
        return;
    }
    for (std::size_t i = 0; i < samples.size(); i += kPiece) {
        const auto piece = samples.subspan(i, std::min(kPiece, samples.size() - i));
        if (peak_of(piece) < magnitude(kFullScale)) {
            channel.run = 0;
            continue;
        }
        for (const float x : piece) {
            channel.run = std::abs(x) >= kFullScale ? channel.run + 1 : 0;
            if (channel.run == kClippedRun) ++channel.clipped_runs;
        }
    }
}

void SignalCheck::refuse(std::span<const std::span<const float>> channels) const {
    for (std::size_t i = 0; i < channels[0].size(); ++i) {
        for (std::size_t c = 0; c < channels.size(); ++c) {
            if (std::abs(channels[c][i]) <= kLargestSample) continue;
            throw AnalysisError(ErrorKind::InvalidSamples, Stage::analyze,
                                "sample " + std::to_string(samples_ + static_cast<std::int64_t>(i)) + " of channel " +
                                    std::to_string(c) + " is " + std::to_string(channels[c][i]) +
                                    "; finite values up to 1e6 are expected");
        }
    }
}

SignalCheck::Values SignalCheck::finish() const {
    Values v;
    bool same = channels_.size() > 1;
    for (const Channel& channel : channels_) {
        v.clipped_runs += channel.clipped_runs;
        v.peak = std::max(v.peak, static_cast<double>(std::bit_cast<float>(channel.peak)));
        const double mean = channel.sum * static_cast<double>(kStep) / static_cast<double>(samples_);
        if (std::abs(mean) > std::abs(v.dc_offset)) v.dc_offset = mean;
        same = same && channel.difference <= magnitude(kSameSignal);
    }
    v.identical_channels = same && v.peak > static_cast<double>(kSameSignal);
    return v;
}

}  // namespace auralis

// The time grid of the analysis of y (22 050 Hz mono), and the steps' common views of it.
#pragma once

#include <array>
#include <cstddef>

#include "dsp/lanes.h"

namespace auralis {

inline constexpr std::size_t kAnalysisRate = 22'050;  // of y, Hz
inline constexpr std::size_t kFrameLength = 2048;
inline constexpr std::size_t kHop = 512;
inline constexpr std::size_t kBins = kFrameLength / 2 + 1;
inline constexpr std::size_t kPaddedBins = (kBins + kLanes - 1) / kLanes * kLanes;  // whole Lanes
inline constexpr double kFrameRate = static_cast<double>(kAnalysisRate) / kHop;     // Hz

// Samples that eight consecutive frames cover.
inline constexpr std::size_t kBatchSamples = kFrameLength + (kLanes - 1) * kHop;

// Eight consecutive frames of y. Frame t is centred on sample t * kHop; beyond the ends of y are zeros.
struct FrameBatch {
    const float* samples;     // kBatchSamples of them; frame i of the batch starts at samples + i * kHop
    std::size_t first_frame;  // index of the frame in lane 0
    std::size_t count;        // 1 to 8; what the lanes from count on hold does not matter
};

// Transposes `n` samples (a multiple of 8) from the start of each of eight frames `hop` apart to lane = frame.
inline void load_frames(const float* samples, std::size_t hop, std::size_t n, Lanes* out) {
    for (std::size_t i = 0; i < n; i += kLanes) {
        std::array<Lanes, kLanes> block;
        for (std::size_t lane = 0; lane < kLanes; ++lane) block[lane] = Lanes::load(samples + lane * hop + i);
        transpose(block);
        for (std::size_t j = 0; j < kLanes; ++j) out[i + j] = block[j];
    }
}

// The same with every frame multiplied by a window of n values.
inline void load_frames(const float* samples, std::size_t hop, std::size_t n, const float* window, Lanes* out) {
    for (std::size_t i = 0; i < n; i += kLanes) {
        const Lanes w = Lanes::load(window + i);
        std::array<Lanes, kLanes> block;
        for (std::size_t lane = 0; lane < kLanes; ++lane) block[lane] = Lanes::load(samples + lane * hop + i) * w;
        transpose(block);
        for (std::size_t j = 0; j < kLanes; ++j) out[i + j] = block[j];
    }
}

// Short-time spectrum of a FrameBatch, lane = frame.
struct SpectrumBatch {
    std::array<Lanes, kBins> power;            // |STFT|^2
    std::array<Lanes, kPaddedBins> magnitude;  // |STFT|; beyond the last bin zeros
    SpectrumBatch() { magnitude.fill(Lanes(0.0F)); }
};

}  // namespace auralis

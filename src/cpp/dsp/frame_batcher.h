// Cuts y, as it streams in, into batches of eight overlapping frames.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "base/aligned_vector.h"
#include "dsp/frames.h"

namespace auralis {

class FrameBatcher {
public:
    // Centred frames: half a frame of zeros stands before the first sample.
    FrameBatcher() : buffer_(kBatchSamples, 0.0F), filled_(kFrameLength / 2) {}

    template <typename Sink>  // void(const FrameBatch&)
    void push(std::span<const float> y, Sink&& sink) {
        samples_ += y.size();
        while (!y.empty()) {
            const std::size_t n = std::min(y.size(), kBatchSamples - filled_);
            std::copy_n(y.begin(), n, buffer_.begin() + static_cast<std::ptrdiff_t>(filled_));
            filled_ += n;
            y = y.subspan(n);
            if (filled_ == kBatchSamples) emit(kLanes, sink);
        }
    }

    // Yields the remaining frames, 1 + samples / hop in total, as in librosa.
    template <typename Sink>
    void finish(Sink&& sink) {
        const std::size_t frames = 1 + samples_ / kHop;
        while (next_frame_ < frames) {
            std::fill(buffer_.begin() + static_cast<std::ptrdiff_t>(filled_), buffer_.end(), 0.0F);
            emit(std::min(kLanes, frames - next_frame_), sink);
        }
    }

private:
    template <typename Sink>
    void emit(std::size_t count, Sink&& sink) {
        sink(FrameBatch{buffer_.data(), next_frame_, count});
        next_frame_ += count;
        constexpr std::size_t kAdvance = kLanes * kHop;
        std::copy(buffer_.begin() + kAdvance, buffer_.end(), buffer_.begin());
        filled_ = filled_ > kAdvance ? filled_ - kAdvance : 0;
    }

    AlignedVector<float> buffer_;
    std::size_t filled_;
    std::size_t samples_ = 0;
    std::size_t next_frame_ = 0;
};

}  // namespace auralis

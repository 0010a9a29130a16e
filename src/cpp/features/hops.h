// Cuts a signal into hops of 0.25 s.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace auralis {

class Hops {
public:
    explicit Hops(int sample_rate) : length_(static_cast<std::int64_t>(0.25 * sample_rate)) {}

    std::int64_t length() const { return length_; }      // of a hop, in samples
    std::int64_t position() const { return position_; }  // samples so far

    // Calls work(offset, n, first) for the pieces of the next `samples` samples. A piece ends where a hop does; the
    // first sample of every hop is a piece of its own, marked as `first`.
    template <typename Work>
    void advance(std::size_t samples, Work&& work) {
        for (std::size_t done = 0; done < samples;) {
            const std::int64_t in_hop = position_ % length_;
            const bool first = in_hop == 0;
            const std::size_t n = first ? 1 : std::min(samples - done, static_cast<std::size_t>(length_ - in_hop));
            work(done, n, first);
            done += n;
            position_ += static_cast<std::int64_t>(n);
        }
    }

private:
    std::int64_t length_;
    std::int64_t position_ = 0;
};

}  // namespace auralis

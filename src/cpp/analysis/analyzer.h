// The whole algorithm: blocks of samples in, 25 numbers out, in one pass and bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "analysis/fingerprint.h"
#include "base/channel_layout.h"
#include "base/interrupt.h"
#include "features/signal_check.h"

namespace auralis {

struct Measurement {
    Fingerprint fingerprint;
    SignalCheck::Values signal;
    std::int64_t samples = 0;  // per channel
};

class Analyzer {
public:
    // Samples per channel that the steps see at once: small enough for the cache.
    static constexpr std::size_t kBlockSamples = 4096;

    // interrupt must outlive the analyzer; it is polled once a block.
    Analyzer(int sample_rate, const ChannelLayout& layout, Interrupt& interrupt);
    ~Analyzer();
    Analyzer(const Analyzer&) = delete;
    Analyzer& operator=(const Analyzer&) = delete;

    // Throws ResourceLimit if `samples` further samples would exceed the longest duration; push() does so by itself.
    void require_room(std::size_t samples) const;

    // One span of samples a channel, all of the same length, which may be any. How the recording is cut into
    // calls does not change a bit of the result. Throws InvalidSamples for samples that are not finite.
    void push(std::span<const std::span<const float>> channels);

    // To be called once, after the last samples.
    Measurement finish();

private:
    class Steps;
    Interrupt& interrupt_;
    std::unique_ptr<Steps> steps_;
};

}  // namespace auralis

#include "dsp/resampler.h"

#include "dsp/frames.h"

namespace auralis {

Resampler::Resampler(int input_rate) {
    constexpr auto kRate = static_cast<int>(kAnalysisRate);
    if (input_rate == 2 * kRate)
        stream_.emplace<Decimator>();
    else if (input_rate != kRate)
        stream_.emplace<SoxrStream>(input_rate, kRate);
}

std::span<const float> Resampler::push(std::span<const float> input) {
    return std::visit([input](auto& stream) { return std::span<const float>(stream.push(input)); }, stream_);
}

std::span<const float> Resampler::finish() {
    return std::visit([](auto& stream) { return std::span<const float>(stream.finish()); }, stream_);
}

}  // namespace auralis

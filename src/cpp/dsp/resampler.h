// Resamples m at the file's rate to y at 22 050 Hz, with soxr's HQ recipe, as a stream.
#pragma once

#include <span>
#include <variant>

#include "dsp/decimator.h"
#include "dsp/soxr_stream.h"

namespace auralis {

class Resampler {
public:
    explicit Resampler(int input_rate);

    // Output that the input so far allows; valid until the next call. At 22 050 Hz the input itself.
    std::span<const float> push(std::span<const float> input);
    // The remaining output. To be called once, after the last push.
    std::span<const float> finish();

private:
    struct Unchanged {
        static std::span<const float> push(std::span<const float> input) { return input; }
        static std::span<const float> finish() { return {}; }
    };
    std::variant<Unchanged, Decimator, SoxrStream> stream_;
};

}  // namespace auralis

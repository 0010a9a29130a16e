// Resamples m at the file's rate to y at 22 050 Hz, with soxr's HQ recipe, as a stream.
#pragma once

#include <memory>
#include <span>
#include <vector>

struct soxr;

namespace auralis {

class Resampler {
public:
    explicit Resampler(int input_rate);

    // Output that the input so far allows; valid until the next call. At 22 050 Hz the input itself.
    std::span<const float> push(std::span<const float> input);
    // The remaining output. To be called once, after the last push.
    std::span<const float> finish();

private:
    struct Deleter {
        void operator()(soxr* p) const;
    };
    std::span<const float> process(const float* input, std::size_t frames);

    double ratio_;
    std::unique_ptr<soxr, Deleter> soxr_;  // empty when the rates agree
    std::vector<float> output_;
};

}  // namespace auralis

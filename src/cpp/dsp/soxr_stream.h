// A stream through soxr's HQ recipe, from any rate to any other.
#pragma once

#include <memory>
#include <span>
#include <vector>

struct soxr;

namespace auralis {

class SoxrStream {
public:
    SoxrStream(double input_rate, double output_rate);

    // Output that the input so far allows; valid until the next call.
    std::span<const float> push(std::span<const float> input);
    // The remaining output. To be called once, after the last push.
    std::span<const float> finish();

private:
    struct Deleter {
        void operator()(soxr* p) const;
    };
    std::span<const float> process(const float* input, std::size_t frames);

    double ratio_;
    std::unique_ptr<soxr, Deleter> soxr_;
    std::vector<float> output_;
};

}  // namespace auralis

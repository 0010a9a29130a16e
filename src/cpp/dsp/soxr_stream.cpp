#include "dsp/soxr_stream.h"

#include <soxr.h>

#include <cmath>
#include <string>

#include "base/error.h"

namespace auralis {

namespace {

// Twice what soxr's filters and queues take at any rate.
constexpr std::size_t kSoxrBytes = std::size_t{1} << 20;

}  // namespace

void SoxrStream::Deleter::operator()(soxr* p) const { soxr_delete(p); }

SoxrStream::SoxrStream(double input_rate, double output_rate) : ratio_(output_rate / input_rate) {
    // soxr does not check whether it gets the memory that it asks for, so this makes sure that it does.
    output_.reserve(kSoxrBytes / sizeof(float));
    output_.shrink_to_fit();
    const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
    const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
    const soxr_runtime_spec_t runtime = soxr_runtime_spec(1);
    soxr_error_t error = nullptr;
    soxr_.reset(soxr_create(input_rate, output_rate, 1, &error, &io, &quality, &runtime));
    if (error != nullptr)
        throw AnalysisError(ErrorKind::ResourceLimit, Stage::analyze, std::string("resampler: ") + error);
}

std::span<const float> SoxrStream::push(std::span<const float> input) { return process(input.data(), input.size()); }

std::span<const float> SoxrStream::finish() { return process(nullptr, 0); }

std::span<const float> SoxrStream::process(const float* input, std::size_t frames) {
    // Room for this input, and, on flushing, a step at a time until nothing more comes.
    const auto step = static_cast<std::size_t>(std::ceil(static_cast<double>(frames) * ratio_)) + 4096;
    std::size_t filled = 0;
    std::size_t consumed = 0;
    while (true) {
        if (output_.size() < filled + step) output_.resize(filled + step);
        std::size_t used = 0;
        std::size_t made = 0;
        const soxr_error_t error = soxr_process(soxr_.get(), input == nullptr ? nullptr : input + consumed,
                                                frames - consumed, &used, output_.data() + filled, step, &made);
        if (error != nullptr)
            throw AnalysisError(ErrorKind::ResourceLimit, Stage::analyze, std::string("resampler: ") + error);
        filled += made;
        consumed += used;
        if (made < step && consumed == frames) break;
    }
    return {output_.data(), filled};
}

}  // namespace auralis

// Fuzz target: samples of any shape, rate and value, in blocks of any size. How they are cut must not matter.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "analysis/analyze.h"
#include "analysis/analyzer.h"
#include "base/limits.h"
#include "expect.h"
#include "hang_guard.h"

namespace {

using namespace auralis;

constexpr std::array<float, 14> kNotableValues = {0.0F,
                                                  -0.0F,
                                                  1.0F,
                                                  -1.0F,
                                                  1e6F,
                                                  -1e6F,
                                                  1.001e6F,
                                                  1e-38F,
                                                  1e-45F,
                                                  1e30F,
                                                  std::numeric_limits<float>::max(),
                                                  std::numeric_limits<float>::infinity(),
                                                  -std::numeric_limits<float>::infinity(),
                                                  std::numeric_limits<float>::quiet_NaN()};

// A few instructions make many samples, so that small inputs reach the steps that need seconds of sound.
template <typename Sample>
std::vector<Sample> make_samples(FuzzedDataProvider& input, std::size_t count) {
    std::vector<Sample> samples;
    while (samples.size() < count && input.remaining_bytes() > 0) {
        const auto kind = input.ConsumeIntegral<std::uint8_t>() % 6;
        const std::size_t n =
            std::min<std::size_t>(count - samples.size(), input.ConsumeIntegral<std::uint16_t>() % 8192U);
        if (kind == 0) {  // any bits
            const auto bytes = input.ConsumeBytes<std::uint8_t>(n * sizeof(Sample));
            for (std::size_t i = 0; i + sizeof(Sample) <= bytes.size(); i += sizeof(Sample)) {
                Sample x;
                std::memcpy(&x, &bytes[i], sizeof x);
                samples.push_back(x);
            }
            continue;
        }
        const int exponent = input.ConsumeIntegral<std::int8_t>() % 48 - 12;
        const float level = std::is_integral_v<Sample> ? std::exp2(static_cast<float>(exponent & 15))
                                                       : std::exp2(static_cast<float>(exponent));
        const auto parameter = input.ConsumeIntegral<std::uint16_t>();
        std::minstd_rand random(parameter);
        for (std::size_t i = 0; i < n; ++i) {
            float x = 0;
            if (kind == 1) x = level;
            if (kind == 2) x = (i % (parameter + 1U) == 0) ? level : 0.0F;
            if (kind == 3) x = level * (static_cast<float>(random() % 2001) / 1000 - 1);
            if (kind == 4) x = level * std::sin(static_cast<float>(i * parameter) * 1e-4F);
            if (kind == 5) x = kNotableValues[parameter % kNotableValues.size()];
            if constexpr (std::is_integral_v<Sample>) {
                const float bounded = std::isfinite(x) ? std::clamp(x, -32768.0F, 32767.0F) : 0.0F;
                samples.push_back(static_cast<Sample>(bounded));
            } else {
                samples.push_back(x);
            }
        }
    }
    return samples;
}

struct Outcome {
    std::optional<Fingerprint> fingerprint;
    std::string error;
    bool timeout = false;
};

template <typename Work>
Outcome outcome_of(Work&& work) {
    Interrupt interrupt(fuzz::kDeadline, nullptr, nullptr);
    try {
        return {work(interrupt), "", false};
    } catch (const AnalysisError& error) {
        fuzz::expect_sane(error);
        const bool expected = error.kind() == ErrorKind::InvalidSamples || error.kind() == ErrorKind::Timeout;
        fuzz::expect(expected, std::string("samples gave ") + to_string(error.kind()));
        return {std::nullopt, error.what(), error.kind() == ErrorKind::Timeout};
    }
}

Outcome measure(const SampleView& view, int rate, std::size_t block_frames) {
    return outcome_of([&](Interrupt& interrupt) {
        const Analysis analysis = analyze_samples(view, rate, interrupt, block_frames);
        fuzz::expect_sane(analysis);
        fuzz::expect(analysis.metadata.samples_decoded == static_cast<std::int64_t>(view.frames), "samples were lost");
        return analysis.fingerprint;
    });
}

float sample_at(const SampleView& view, std::size_t i) {
    switch (view.type) {
        case SampleType::float32: return static_cast<const float*>(view.data)[i];
        case SampleType::float64: return static_cast<float>(static_cast<const double*>(view.data)[i]);
        case SampleType::int16: return static_cast<const std::int16_t*>(view.data)[i] * 0x1p-15F;
    }
    return 0;
}

// The same, passed on in pieces of other sizes.
Outcome measure_in_pieces(const SampleView& view, int rate, std::size_t block_frames, std::uint32_t seed) {
    return outcome_of([&](Interrupt& interrupt) {
        Analyzer analyzer(rate, ChannelLayout::default_for(view.channels), interrupt);
        std::minstd_rand random(seed + 1);
        std::array<std::vector<float>, limits::kMaxChannels> storage;
        std::array<std::span<const float>, limits::kMaxChannels> planes;
        for (std::size_t done = 0; done < view.frames;) {
            const std::size_t n = std::min<std::size_t>(view.frames - done, random() % (2 * block_frames));
            for (std::size_t c = 0; c < view.channels; ++c) {
                storage[c].resize(n);
                for (std::size_t i = 0; i < n; ++i) {
                    const std::size_t at = (done + i) * view.channels + c;
                    storage[c][i] = sample_at(view, at);
                }
                planes[c] = storage[c];
            }
            analyzer.push(std::span(planes).first(view.channels));
            done += n;
        }
        return analyzer.finish().fingerprint;
    });
}

void expect_same(const Outcome& one, const Outcome& other) {
    fuzz::expect(one.error == other.error, "pieces give '" + one.error + "' and '" + other.error + "'");
    if (!one.fingerprint) return;
    for (std::size_t i = 0; i < kDimensions; ++i) {
        const double a = one.fingerprint->values()[i];
        const double b = other.fingerprint->values()[i];
        fuzz::expect(
            std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) || (std::isnan(a) && std::isnan(b)),
            std::string("pieces differ in ") + fuzz::kRanges[i].name);
    }
}

template <typename Sample>
int analyze_in_two_ways(FuzzedDataProvider& input, SampleType type, int rate, std::size_t channels,
                        std::size_t block_frames) {
    // Tempo needs four seconds; most often a fifth of it will do.
    const std::size_t seconds_times_5 = input.ConsumeIntegral<std::uint8_t>() < 24 ? 25 : 4;
    const std::size_t most =
        std::min<std::size_t>(30'000, seconds_times_5 * static_cast<std::size_t>(rate) / 5) * channels;
    const std::vector<Sample> samples = make_samples<Sample>(input, most);
    const std::size_t frames = samples.size() / channels;
    if (frames == 0) return -1;
    // A copy of exactly the size, so that a read beyond the end is caught.
    const std::vector<Sample> exact(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(frames * channels));
    constexpr auto kSampleBytes = static_cast<std::ptrdiff_t>(sizeof(Sample));
    const SampleView view{exact.data(), frames, channels, type, static_cast<std::ptrdiff_t>(channels) * kSampleBytes,
                          kSampleBytes};
    const Outcome one = measure(view, rate, block_frames);
    if (one.timeout) return -1;
    const Outcome other = measure_in_pieces(view, rate, block_frames, static_cast<std::uint32_t>(frames));
    if (other.timeout) return -1;
    expect_same(one, other);
    return 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const fuzz::HangGuard guard;
    FuzzedDataProvider input(data, size);
    const auto type = input.PickValueInArray({SampleType::float32, SampleType::float64, SampleType::int16});
    const auto channels = input.ConsumeIntegralInRange<std::size_t>(1, limits::kMaxChannels);
    // Most often a low rate, which is quick.
    const int highest = input.ConsumeIntegral<std::uint8_t>() < 8 ? limits::kMaxSampleRate : 12'000;
    const int rate = input.ConsumeIntegralInRange(limits::kMinSampleRate, highest);
    const auto block_frames = input.ConsumeIntegralInRange<std::size_t>(1, 20'000);
    switch (type) {
        case SampleType::float32: return analyze_in_two_ways<float>(input, type, rate, channels, block_frames);
        case SampleType::float64: return analyze_in_two_ways<double>(input, type, rate, channels, block_frames);
        case SampleType::int16: return analyze_in_two_ways<std::int16_t>(input, type, rate, channels, block_frames);
    }
    return -1;
}

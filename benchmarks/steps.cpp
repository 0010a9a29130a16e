// CPU time of every step of the analysis on its own, over the same music.
//
//   auralis_steps FILE [REPEATS [STEP]]     prints a line per step: name, median and minimum in ms, share of the whole
//
// The file is decoded once; each step then sees the whole recording as the analyzer would feed it.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/analyzer.h"
#include "dsp/denormals.h"
#include "dsp/frame_batcher.h"
#include "dsp/resampler.h"
#include "dsp/stft.h"
#include "features/band_spectrum.h"
#include "features/chroma.h"
#include "features/dynamics.h"
#include "features/frame_levels.h"
#include "features/harmonic_percussive.h"
#include "features/loudness.h"
#include "features/onset_envelope.h"
#include "features/pitch.h"
#include "features/rhythm.h"
#include "features/signal_check.h"
#include "features/spectral_shape.h"
#include "features/stereo_image.h"
#include "io/decoder.h"

namespace {

using namespace auralis;

double cpu_ms() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) * 1e-6;
}

struct Recording {
    int sample_rate = 0;
    ChannelLayout layout{{}};
    std::vector<std::vector<float>> channels;
    std::vector<float> mid, y;
};

std::int64_t decode(const char* path, Recording* into) {
    FileSource source(path);
    Interrupt interrupt;
    Decoder decoder(source, interrupt);
    if (into != nullptr) {
        into->sample_rate = decoder.format().sample_rate;
        into->layout = decoder.format().layout;
        into->channels.resize(into->layout.channels());
    }
    std::int64_t samples = 0;
    for (auto planes = decoder.next(); !planes.empty(); planes = decoder.next()) {
        samples += static_cast<std::int64_t>(planes[0].size());
        if (into == nullptr) continue;
        for (std::size_t c = 0; c < planes.size(); ++c)
            into->channels[c].insert(into->channels[c].end(), planes[c].begin(), planes[c].end());
    }
    return samples;
}

std::vector<std::span<const float>> planes_of(const Recording& r, std::size_t offset, std::size_t n) {
    std::vector<std::span<const float>> planes;
    planes.reserve(r.channels.size());
    for (const auto& channel : r.channels) planes.push_back(std::span(channel).subspan(offset, n));
    return planes;
}

// Calls work(offset, n) for as many blocks as the recording has, always out of its first half second: in the
// analyzer a block is in the cache when a step sees it, which a whole recording would not be.
void for_blocks(std::size_t samples, const std::function<void(std::size_t, std::size_t)>& work) {
    constexpr std::size_t kHotSamples = 6 * Analyzer::kBlockSamples;
    for (std::size_t i = 0; i < samples; i += Analyzer::kBlockSamples)
        work(samples < kHotSamples ? i : i % kHotSamples, std::min(Analyzer::kBlockSamples, samples - i));
}

template <typename Sink>
void for_batches(const Recording& r, Sink&& sink) {
    FrameBatcher batcher;
    for_blocks(r.y.size(), [&](std::size_t i, std::size_t n) { batcher.push(std::span(r.y).subspan(i, n), sink); });
    batcher.finish(sink);
}

// A step of the channels at the file's own rate.
template <typename Step>
void push_channels(const Recording& r, Step step) {
    for_blocks(r.mid.size(), [&](std::size_t i, std::size_t n) { step.push(planes_of(r, i, n)); });
    step.finish();
}

// A step of the middle at the file's own rate.
template <typename Step>
void push_mid(const Recording& r) {
    Step step(r.sample_rate);
    for_blocks(r.mid.size(), [&](std::size_t i, std::size_t n) { step.push(std::span(r.mid).subspan(i, n)); });
    step.finish();
}

// A step of the frames of the resampled signal.
template <typename Step>
void push_frames(const Recording& r) {
    Step step;
    for_batches(r, [&](const FrameBatch& batch) { step.push(batch); });
}

// A step of the resampled signal that works on spectra: its own cost is that of pushing one real spectrum.
template <typename Step>
void push_spectra(const Recording& r, const SpectrumBatch& spectrum) {
    Step step;
    for_batches(r, [&](const FrameBatch& batch) { step.push(batch, spectrum); });
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: %s FILE [REPEATS [STEP]]\n", argv[0]);
        return 2;
    }
    const int repeats = argc > 2 ? std::atoi(argv[2]) : 7;
    const DenormalsFlushed scope;
    Recording r;
    decode(argv[1], &r);
    const std::size_t samples = r.channels[0].size();
    const auto& left = r.channels.front();
    const auto& right = r.channels[std::min<std::size_t>(1, r.channels.size() - 1)];
    for (std::size_t i = 0; i < samples; ++i) r.mid.push_back(0.5F * (left[i] + right[i]));
    {
        Resampler resampler(r.sample_rate);
        const auto all = resampler.push(r.mid);
        r.y.assign(all.begin(), all.end());
        const auto rest = resampler.finish();
        r.y.insert(r.y.end(), rest.begin(), rest.end());
    }
    SpectrumBatch spectrum;
    std::vector<float> envelope;
    {
        Stft stft;
        OnsetEnvelope onsets;
        std::size_t batches = 0;
        for_batches(r, [&](const FrameBatch& batch) {
            if (++batches < r.y.size() / kHop / kLanes) stft.compute(batch, spectrum);
            onsets.push(batch, spectrum);
        });
        envelope = onsets.finish();
    }

    std::vector<std::pair<std::string, std::function<void()>>> steps = {
        {"decode", [&] { decode(argv[1], nullptr); }},
        {"signal check", [&] { push_channels(r, SignalCheck(r.channels.size())); }},
        {"loudness", [&] { push_channels(r, Loudness(r.sample_rate, r.layout.loudness_weights())); }},
        {"dynamics", [&] { push_mid<Dynamics>(r); }},
        {"stereo image",
         [&] {
             StereoImage step(r.sample_rate);
             for_blocks(samples, [&](std::size_t i, std::size_t n) {
                 step.push(std::span(left).subspan(i, n), std::span(right).subspan(i, n));
             });
             step.finish();
         }},
        {"band spectrum", [&] { push_mid<BandSpectrum>(r); }},
        {"resampler", [&] { push_mid<Resampler>(r); }},
        {"frame levels", [&] { push_frames<FrameLevels>(r); }},
        {"stft",
         [&] {
             Stft step;
             SpectrumBatch out;
             for_batches(r, [&](const FrameBatch& batch) { step.compute(batch, out); });
         }},
        {"spectral shape", [&] { push_spectra<SpectralShape>(r, spectrum); }},
        {"onset envelope", [&] { push_spectra<OnsetEnvelope>(r, spectrum); }},
        {"harmonic/percussive", [&] { push_spectra<HarmonicPercussive>(r, spectrum); }},
        {"chroma", [&] { push_spectra<Chroma>(r, spectrum); }},
        {"pitch", [&] { push_frames<Pitch>(r); }},
        {"rhythm",
         [&] {
             measure_pulse(envelope, [] {});
             count_onsets(envelope);
         }},
        {"whole analysis",
         [&] {
             FileSource source(argv[1]);
             Interrupt interrupt;
             Decoder decoder(source, interrupt);
             Analyzer analyzer(decoder.format().sample_rate, decoder.format().layout, interrupt);
             for (auto planes = decoder.next(); !planes.empty(); planes = decoder.next()) analyzer.push(planes);
             analyzer.finish();
         }},
    };
    if (argc > 3) std::erase_if(steps, [&](const auto& step) { return step.first != argv[3]; });
    if (steps.empty()) return 2;
    // Steps take turns, so that a disturbance of the machine affects all of them.
    std::vector<std::vector<double>> times(steps.size());
    for (int repeat = 0; repeat < repeats; ++repeat) {
        for (std::size_t i = 0; i < steps.size(); ++i) {
            const double start = cpu_ms();
            steps[i].second();
            times[i].push_back(cpu_ms() - start);
        }
    }
    for (auto& t : times) std::ranges::sort(t);
    const auto median = [](const std::vector<double>& t) { return t[t.size() / 2]; };
    for (std::size_t i = 0; i < steps.size(); ++i)
        std::printf("%-20s %8.1f ms (min %8.1f)  %5.1f %%\n", steps[i].first.c_str(), median(times[i]),
                    times[i].front(), 100 * median(times[i]) / median(times.back()));
}

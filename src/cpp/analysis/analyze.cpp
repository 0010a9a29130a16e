#include "analysis/analyze.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "analysis/analyzer.h"
#include "base/limits.h"
#include "io/decoder.h"

namespace auralis {

namespace {

template <typename Sample>
void read_channel(const SampleView& samples, std::size_t first, std::size_t channel, float scale, std::span<float> to) {
    const auto* from = static_cast<const std::byte*>(samples.data) +
                       static_cast<std::ptrdiff_t>(first) * samples.frame_stride +
                       static_cast<std::ptrdiff_t>(channel) * samples.channel_stride;
    for (std::size_t i = 0; i < to.size(); ++i) {
        Sample sample;  // may be unaligned in the array
        std::memcpy(&sample, from + static_cast<std::ptrdiff_t>(i) * samples.frame_stride, sizeof sample);
        to[i] = scale * static_cast<float>(sample);
    }
}

RecordingFacts facts_of(const Analyzer& analyzer, int sample_rate, std::size_t channels, const std::string& codec,
                        const std::string& container) {
    const SignalCheck::Values signal = analyzer.signal();
    RecordingFacts facts;
    facts.sample_rate = sample_rate;
    facts.channels = static_cast<int>(channels);
    facts.codec = codec;
    facts.container = container;
    facts.samples_decoded = analyzer.samples();
    facts.clipped_runs = signal.clipped_runs;
    facts.peak = signal.peak;
    facts.dc_offset = signal.dc_offset;
    facts.identical_channels = signal.identical_channels;
    return facts;
}

}  // namespace

Analysis analyze_media(MediaSource& source, Interrupt& interrupt) {
    Decoder decoder(source, interrupt);
    const AudioFormat& format = decoder.format();
    Analyzer analyzer(format.sample_rate, format.layout, interrupt);
    Analysis analysis;
    try {
        for (auto planes = decoder.next(); !planes.empty(); planes = decoder.next()) analyzer.push(planes);
        analysis.fingerprint = analyzer.finish();
    } catch (const AnalysisError& error) {
        if (error.kind() != ErrorKind::InvalidSamples) throw;
        // Only float files can hold such samples; it is the file that is wrong then.
        throw AnalysisError(ErrorKind::CorruptAudio, Stage::decode, error.what());
    }
    analysis.facts = facts_of(analyzer, format.sample_rate, format.layout.channels(), format.codec, format.container);
    analysis.facts.damaged_packets = decoder.damaged_packets();
    analysis.facts.declared_duration = format.declared_duration;
    return analysis;
}

Analysis analyze_samples(const SampleView& samples, int sample_rate, Interrupt& interrupt, std::size_t block_frames) {
    Analyzer analyzer(sample_rate, ChannelLayout::default_for(samples.channels), interrupt);
    analyzer.require_room(samples.frames);
    std::array<std::vector<float>, limits::kMaxChannels> storage;
    std::array<std::span<const float>, limits::kMaxChannels> planes;
    for (std::size_t done = 0; done < samples.frames; done += block_frames) {
        const std::size_t n = std::min(block_frames, samples.frames - done);
        for (std::size_t c = 0; c < samples.channels; ++c) {
            storage[c].resize(n);
            if (samples.int16)
                read_channel<std::int16_t>(samples, done, c, 0x1p-15F, storage[c]);
            else
                read_channel<float>(samples, done, c, 1.0F, storage[c]);
            planes[c] = storage[c];
        }
        analyzer.push(std::span(planes).first(samples.channels));
    }
    Analysis analysis;
    analysis.fingerprint = analyzer.finish();
    analysis.facts = facts_of(analyzer, sample_rate, samples.channels, "samples", "samples");
    return analysis;
}

}  // namespace auralis

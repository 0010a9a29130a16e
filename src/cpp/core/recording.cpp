#include "core/recording.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/analyzer.h"
#include "core/limits.h"
#include "io/decoder.h"

namespace auralis {

namespace {

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

Analysis analyze_samples(const InterleavedSamples& samples, int sample_rate, Interrupt& interrupt,
                         std::size_t block_frames) {
    Analyzer analyzer(sample_rate, ChannelLayout::default_for(samples.channels), interrupt, block_frames);
    analyzer.require_room(samples.frames);
    std::array<std::vector<float>, limits::kMaxChannels> storage;
    std::array<std::span<const float>, limits::kMaxChannels> planes;
    for (std::size_t done = 0; done < samples.frames; done += block_frames) {
        const std::size_t n = std::min(block_frames, samples.frames - done);
        for (std::size_t c = 0; c < samples.channels; ++c) {
            storage[c].resize(n);
            const std::size_t first = done * samples.channels + c;
            if (samples.int16) {
                const auto* from = static_cast<const std::int16_t*>(samples.data) + first;
                for (std::size_t i = 0; i < n; ++i)
                    storage[c][i] = static_cast<float>(from[i * samples.channels]) * 0x1p-15F;
            } else {
                const auto* from = static_cast<const float*>(samples.data) + first;
                for (std::size_t i = 0; i < n; ++i) storage[c][i] = from[i * samples.channels];
            }
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

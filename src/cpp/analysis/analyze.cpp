#include "analysis/analyze.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
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

Analysis analysis_of(const Measurement& measurement, int sample_rate, std::size_t channels) {
    Analysis analysis;
    analysis.fingerprint = measurement.fingerprint;
    analysis.metadata.sample_rate = sample_rate;
    analysis.metadata.channels = static_cast<int>(channels);
    analysis.metadata.samples_decoded = measurement.samples;
    analysis.metadata.clipped_runs = measurement.signal.clipped_runs;
    analysis.metadata.peak = measurement.signal.peak;
    analysis.metadata.dc_offset = measurement.signal.dc_offset;
    analysis.metadata.identical_channels = measurement.signal.identical_channels;
    return analysis;
}

// Throws CorruptAudio for samples that are not finite: only float files can hold them, and then the file is at fault.
Measurement measure(Decoder& decoder, Interrupt& interrupt) {
    Analyzer analyzer(decoder.format().sample_rate, decoder.format().layout, interrupt);
    try {
        for (auto planes = decoder.next(); !planes.empty(); planes = decoder.next()) analyzer.push(planes);
        return analyzer.finish();
    } catch (const AnalysisError& error) {
        if (error.kind() != ErrorKind::InvalidSamples) throw;
        throw AnalysisError(ErrorKind::CorruptAudio, Stage::decode, error.what());
    }
}

}  // namespace

Analysis analyze_media(MediaSource& source, Interrupt& interrupt) {
    Decoder decoder(source, interrupt);
    const Measurement measurement = measure(decoder, interrupt);
    const AudioFormat& format = decoder.format();
    Analysis analysis = analysis_of(measurement, format.sample_rate, format.layout.channels());
    analysis.metadata.codec = format.codec;
    analysis.metadata.container = format.container;
    analysis.metadata.damaged_packets = decoder.damaged_packets();
    analysis.metadata.declared_duration = format.declared_duration;
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
            switch (samples.type) {
                case SampleType::float32: read_channel<float>(samples, done, c, 1.0F, storage[c]); break;
                case SampleType::float64: read_channel<double>(samples, done, c, 1.0F, storage[c]); break;
                case SampleType::int16: read_channel<std::int16_t>(samples, done, c, 0x1p-15F, storage[c]); break;
            }
            planes[c] = storage[c];
        }
        analyzer.push(std::span(planes).first(samples.channels));
    }
    Analysis analysis = analysis_of(analyzer.finish(), sample_rate, samples.channels);
    analysis.metadata.codec = "samples";
    analysis.metadata.container = "samples";
    return analysis;
}

}  // namespace auralis

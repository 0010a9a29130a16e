#include "analysis/analyzer.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/aligned_vector.h"
#include "base/limits.h"
#include "base/undefined.h"
#include "dsp/denormals.h"
#include "dsp/downmix.h"
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

namespace auralis {

namespace {

constexpr double kMinTempoSeconds = 4;
constexpr double kOnsetsPerSecondScale = 10;

}  // namespace

class Analyzer::Steps {
public:
    struct Finished {
        Measurement measurement;      // without the dimensions of the envelope
        std::vector<float> envelope;  // of onsets
        double seconds = 0;
        bool silent = false;
    };

    Steps(int sample_rate, const ChannelLayout& layout, Interrupt& interrupt)
        : interrupt_(interrupt),
          sample_rate_(sample_rate),
          block_(layout.channels(), AlignedVector<float>(kBlockSamples)),
          downmix_(layout, kBlockSamples),
          signal_check_(layout.channels()),
          loudness_(sample_rate, layout.loudness_weights()),
          dynamics_(sample_rate),
          stereo_image_(sample_rate),
          bands_(sample_rate),
          resampler_(sample_rate) {}

    void push(std::span<const std::span<const float>> channels) {
        const DenormalsFlushed scope;
        require_room(channels[0].size());
        Planes planes;
        for (std::size_t done = 0; done < channels[0].size();) {
            const std::size_t n = std::min(channels[0].size() - done, kBlockSamples - filled_);
            if (n == kBlockSamples) {  // needs no copy
                for (std::size_t c = 0; c < channels.size(); ++c) planes[c] = channels[c].subspan(done, n);
                measure_block(std::span(planes).first(channels.size()));
                done += n;
                continue;
            }
            for (std::size_t c = 0; c < block_.size(); ++c)
                std::copy_n(channels[c].begin() + static_cast<std::ptrdiff_t>(done), n,
                            block_[c].begin() + static_cast<std::ptrdiff_t>(filled_));
            done += n;
            filled_ += n;
            if (filled_ == kBlockSamples) measure_filled();
        }
    }

    Finished finish() {
        if (filled_ > 0) measure_filled();
        measure_resampled(resampler_.finish());
        frames_.finish([this](const FrameBatch& batch) { measure_frames(batch); });
        const std::vector<bool> active = frame_levels_.active();
        std::vector<float> envelope = onsets_.finish();
        return {.measurement = {collect(active), signal_check_.finish(), samples_},
                .envelope = std::move(envelope),
                .seconds = static_cast<double>(samples_) / sample_rate_,
                .silent = std::ranges::find(active, true) == active.end()};
    }

    void require_room(std::size_t more) const {
        if (samples_ + static_cast<std::int64_t>(filled_) + static_cast<std::int64_t>(more) >
            std::int64_t{limits::kMaxHours} * 3600 * sample_rate_)
            throw AnalysisError(ErrorKind::ResourceLimit, Stage::analyze,
                                "longer than " + std::to_string(limits::kMaxHours) + " hours");
    }

private:
    using Planes = std::array<std::span<const float>, limits::kMaxChannels>;

    // --- at the file's own rate --------------------------------------------------------------------------

    void measure_filled() {
        Planes planes;
        for (std::size_t c = 0; c < block_.size(); ++c) planes[c] = std::span(block_[c]).first(filled_);
        measure_block(std::span(planes).first(block_.size()));
        filled_ = 0;
    }

    void measure_block(std::span<const std::span<const float>> channels) {
        interrupt_.poll(Stage::analyze);
        signal_check_.push(channels);
        samples_ += static_cast<std::int64_t>(channels[0].size());

        const auto [left, right, mid] = downmix_.apply(channels);
        loudness_.push(channels);
        dynamics_.push(mid);
        stereo_image_.push(left, right);
        bands_.push(mid);
        measure_resampled(resampler_.push(mid));
    }

    // --- at 22 050 Hz, mono ------------------------------------------------------------------------------

    void measure_resampled(std::span<const float> y) {
        frames_.push(y, [this](const FrameBatch& batch) { measure_frames(batch); });
    }

    void measure_frames(const FrameBatch& batch) {
        frame_levels_.push(batch);
        stft_.compute(batch, spectrum_);
        shape_.push(batch, spectrum_);
        onsets_.push(batch, spectrum_);
        harmonic_percussive_.push(batch, spectrum_);
        chroma_.push(batch, spectrum_);
        pitch_.push(batch);
    }

    // --- numbers -----------------------------------------------------------------------------------------

    Fingerprint collect(const std::vector<bool>& active) {
        using enum Dimension;
        Fingerprint f;

        const BandSpectrum::Values bands = bands_.finish();
        constexpr std::array kBandDimensions = {sub_bass_pct,  bass_pct,     low_mid_pct, mid_pct,
                                                upper_mid_pct, presence_pct, air_pct};
        for (std::size_t b = 0; b < kBandDimensions.size(); ++b) f[kBandDimensions[b]] = bands.percent[b];
        f[bass_mid_ratio] = bands.bass_mid_ratio_db;

        f[lufs] = loudness_.finish();

        const Dynamics::Values dynamics = dynamics_.finish();
        f[crest_db] = dynamics.crest_db;
        f[dynamic_range_variation] = dynamics.dynamic_range_variation;
        f[loudness_variation_std] = dynamics.loudness_variation_std;
        f[peak_consistency] = dynamics.peak_consistency;

        const StereoImage::Values image = stereo_image_.finish();
        f[stereo_width] = image.stereo_width;
        f[phase_correlation] = image.phase_correlation;

        f[silence_ratio] = frame_levels_.silence_ratio();

        const SpectralShape::Values shape = shape_.finish(active);
        f[spectral_centroid] = shape.centroid;
        f[spectral_rolloff] = shape.rolloff;
        f[spectral_flatness] = shape.flatness;
        f[harmonic_ratio] = harmonic_percussive_.finish();
        f[pitch_stability] = pitch_.finish(active);
        f[chroma_energy] = chroma_.finish(active);
        return f;
    }

    Interrupt& interrupt_;
    int sample_rate_;
    std::vector<AlignedVector<float>> block_;  // per channel
    std::size_t filled_ = 0;
    std::int64_t samples_ = 0;  // measured
    Downmix downmix_;

    SignalCheck signal_check_;
    Loudness loudness_;
    Dynamics dynamics_;
    StereoImage stereo_image_;
    BandSpectrum bands_;
    Resampler resampler_;

    FrameBatcher frames_;
    Stft stft_;
    SpectrumBatch spectrum_;
    FrameLevels frame_levels_;
    SpectralShape shape_;
    OnsetEnvelope onsets_;
    HarmonicPercussive harmonic_percussive_;
    Chroma chroma_;
    Pitch pitch_;
};

Analyzer::Analyzer(int sample_rate, const ChannelLayout& layout, Interrupt& interrupt)
    : interrupt_(interrupt), steps_(std::make_unique<Steps>(sample_rate, layout, interrupt)) {}
Analyzer::~Analyzer() = default;
void Analyzer::require_room(std::size_t samples) const { steps_->require_room(samples); }
void Analyzer::push(std::span<const std::span<const float>> channels) { steps_->push(channels); }

Measurement Analyzer::finish() {
    using enum Dimension;
    const DenormalsFlushed scope;
    auto [measurement, envelope, seconds, silent] = steps_->finish();
    steps_.reset();  // makes room: measuring the pulse needs as much
    Fingerprint& f = measurement.fingerprint;
    const Pulse pulse = seconds < kMinTempoSeconds
                            ? Pulse{kUndefined, kUndefined}
                            : measure_pulse(envelope, [this] { interrupt_.poll(Stage::analyze); });
    f[tempo_bpm] = pulse.tempo_bpm;
    f[rhythm_stability] = pulse.rhythm_stability;
    const double onsets = static_cast<double>(count_onsets(envelope));
    f[transient_density] = silent ? kUndefined : std::min(1.0, onsets / seconds / kOnsetsPerSecondScale);
    return measurement;
}

}  // namespace auralis

#include "analysis/analyzer.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/limits.h"
#include "dsp/denormals.h"
#include "dsp/frame_batcher.h"
#include "dsp/resampler.h"
#include "dsp/stft.h"
#include "features/band_spectrum.h"
#include "features/chroma.h"
#include "features/frame_levels.h"
#include "features/harmonic_percussive.h"
#include "features/levels.h"
#include "features/loudness.h"
#include "features/onset_envelope.h"
#include "features/pitch.h"
#include "features/rhythm.h"
#include "features/signal_check.h"
#include "features/spectral_shape.h"

namespace auralis {

namespace {

constexpr double kMinTempoSeconds = 4;
constexpr double kOnsetsPerSecondScale = 10;

}  // namespace

class Analyzer::Stages {
public:
    Stages(int sample_rate, const ChannelLayout& layout, Interrupt& interrupt)
        : interrupt_(interrupt),
          sample_rate_(sample_rate),
          downmix_(layout.downmix()),
          block_(layout.channels(), std::vector<float>(kBlockSamples)),
          left_(kBlockSamples),
          right_(kBlockSamples),
          mid_(kBlockSamples),
          signal_check_(layout.channels()),
          loudness_(sample_rate, layout.loudness_weights()),
          levels_(sample_rate),
          bands_(sample_rate),
          resampler_(sample_rate) {}

    void push(std::span<const std::span<const float>> channels) {
        const DenormalsFlushed scope;
        require_room(channels[0].size());
        for (std::size_t done = 0; done < channels[0].size();) {
            const std::size_t n = std::min(channels[0].size() - done, mid_.size() - filled_);
            for (std::size_t c = 0; c < block_.size(); ++c)
                std::copy_n(channels[c].begin() + static_cast<std::ptrdiff_t>(done), n,
                            block_[c].begin() + static_cast<std::ptrdiff_t>(filled_));
            done += n;
            filled_ += n;
            if (filled_ == mid_.size()) measure_block();
        }
    }

    Fingerprint finish() {
        const DenormalsFlushed scope;
        if (filled_ > 0) measure_block();
        measure_resampled(resampler_.finish());
        frames_.finish([this](const FrameBatch& batch) { measure_frames(batch); });
        return collect();
    }

    void require_room(std::size_t more) const {
        if (samples() + static_cast<std::int64_t>(more) > std::int64_t{limits::kMaxHours} * 3600 * sample_rate_)
            throw AnalysisError(ErrorKind::ResourceLimit, Stage::analyze,
                                "longer than " + std::to_string(limits::kMaxHours) + " hours");
    }

    std::int64_t samples() const { return samples_ + static_cast<std::int64_t>(filled_); }
    SignalCheck::Values signal() const { return signal_check_.finish(); }

private:
    // --- at the file's own rate --------------------------------------------------------------------------

    void measure_block() {
        interrupt_.poll(Stage::analyze);
        std::array<std::span<const float>, limits::kMaxChannels> planes;
        for (std::size_t c = 0; c < block_.size(); ++c) planes[c] = std::span(block_[c]).first(filled_);
        const std::span<const std::span<const float>> channels = std::span(planes).first(block_.size());
        signal_check_.push(channels);
        samples_ += static_cast<std::int64_t>(filled_);

        const auto [left, right, mid] = stereo(channels);
        loudness_.push(channels);
        levels_.push(left, right, mid);
        bands_.push(mid);
        measure_resampled(resampler_.push(mid));
        filled_ = 0;
    }

    struct Stereo {
        std::span<const float> left, right, mid;
    };

    Stereo stereo(std::span<const std::span<const float>> channels) {
        const std::size_t n = channels[0].size();
        Stereo s{channels[0], channels[std::min<std::size_t>(1, channels.size() - 1)], std::span(mid_).first(n)};
        if (channels.size() > 2) {
            std::fill(left_.begin(), left_.end(), 0.0F);
            std::fill(right_.begin(), right_.end(), 0.0F);
            for (std::size_t c = 0; c < channels.size(); ++c) {
                for (std::size_t i = 0; i < n; ++i) left_[i] += downmix_[c].to_left * channels[c][i];
                for (std::size_t i = 0; i < n; ++i) right_[i] += downmix_[c].to_right * channels[c][i];
            }
            s.left = std::span(left_).first(n);
            s.right = std::span(right_).first(n);
        }
        for (std::size_t i = 0; i < n; ++i) mid_[i] = 0.5F * (s.left[i] + s.right[i]);
        return s;
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

    Fingerprint collect() {
        using enum Dimension;
        Fingerprint f;

        const BandSpectrum::Values bands = bands_.finish();
        constexpr std::array kBandDimensions = {sub_bass_pct,  bass_pct,     low_mid_pct, mid_pct,
                                                upper_mid_pct, presence_pct, air_pct};
        for (std::size_t b = 0; b < kBandDimensions.size(); ++b) f[kBandDimensions[b]] = bands.percent[b];
        f[bass_mid_ratio] = bands.bass_mid_ratio_db;

        f[lufs] = loudness_.finish();

        const Levels::Values levels = levels_.finish();
        f[crest_db] = levels.crest_db;
        f[dynamic_range_variation] = levels.dynamic_range_variation;
        f[loudness_variation_std] = levels.loudness_variation_std;
        f[peak_consistency] = levels.peak_consistency;
        f[stereo_width] = levels.stereo_width;
        f[phase_correlation] = levels.phase_correlation;

        const std::vector<bool> active = frame_levels_.active();
        f[silence_ratio] = frame_levels_.silence_ratio();

        const SpectralShape::Values shape = shape_.finish(active);
        f[spectral_centroid] = shape.centroid;
        f[spectral_rolloff] = shape.rolloff;
        f[spectral_flatness] = shape.flatness;
        f[harmonic_ratio] = harmonic_percussive_.finish();
        f[pitch_stability] = pitch_.finish(active);
        f[chroma_energy] = chroma_.finish(active);

        const double seconds = static_cast<double>(samples_) / sample_rate_;
        const std::vector<float> envelope = onsets_.finish();
        const Pulse pulse = seconds < kMinTempoSeconds
                                ? Pulse{kUndefined, kUndefined}
                                : measure_pulse(envelope, [this] { interrupt_.poll(Stage::analyze); });
        f[tempo_bpm] = pulse.tempo_bpm;
        f[rhythm_stability] = pulse.rhythm_stability;
        const bool silent = std::ranges::find(active, true) == active.end();
        f[transient_density] =
            silent ? kUndefined
                   : std::min(1.0, static_cast<double>(count_onsets(envelope)) / seconds / kOnsetsPerSecondScale);
        return f;
    }

    Interrupt& interrupt_;
    int sample_rate_;
    std::vector<ChannelLayout::Gains> downmix_;
    std::vector<std::vector<float>> block_;  // per channel
    std::size_t filled_ = 0;
    std::int64_t samples_ = 0;  // measured
    std::vector<float> left_, right_, mid_;

    SignalCheck signal_check_;
    Loudness loudness_;
    Levels levels_;
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
    : stages_(std::make_unique<Stages>(sample_rate, layout, interrupt)) {}
Analyzer::~Analyzer() = default;
void Analyzer::require_room(std::size_t samples) const { stages_->require_room(samples); }
void Analyzer::push(std::span<const std::span<const float>> channels) { stages_->push(channels); }
Fingerprint Analyzer::finish() { return stages_->finish(); }
std::int64_t Analyzer::samples() const { return stages_->samples(); }
SignalCheck::Values Analyzer::signal() const { return stages_->signal(); }

}  // namespace auralis

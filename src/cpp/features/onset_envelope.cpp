#include "features/onset_envelope.h"

#include <algorithm>

namespace auralis {

namespace {

// The mel power (largest band) of a 1 kHz sine 80 dB under full scale; tests/numbers/test_kernels.py derives it from
// librosa. Until a recording gets louder than this, it counts as silent.
constexpr float kSilentPower = 10554.08e-8F;
// What counts as a rise begins this far under the loudest band so far. Relative, so that gain moves nothing; of what
// has been heard so far, so that one pass is enough.
constexpr float kDepthDb = 65.0F;
constexpr float kMinPower = 1e-12F;            // under every such floor
constexpr float kNothingRisesAbove = 1000.0F;  // dB
// librosa centres the envelope: lag (1) plus half a frame in hops (2).
constexpr std::size_t kDelayFrames = 3;

}  // namespace

void OnsetEnvelope::push(const FrameBatch& batch, const SpectrumBatch& spectrum) {
    std::array<Lanes, kMelBands> mel;
    filters_.apply(spectrum.power, mel);
    const Lanes floor_db = floors(mel, batch.count);
    Lanes rise(0.0F);  // lane i: from the frame before lane i to lane i
    for (std::size_t b = 0; b < kMelBands; ++b) {
        const Lanes db = decibels(max(mel[b], kMinPower));
        const Lanes before = shift_in<kLanes - 1>(Lanes(previous_db_[b]), db);
        rise += max(db - max(before, floor_db), 0.0F);
        previous_db_[b] = db[kLanes - 1];
    }
    for (std::size_t i = started_ ? 0 : 1; i < batch.count; ++i)
        rise_.push_back(rise[i] * (1.0F / static_cast<float>(kMelBands)));
    started_ = true;
}

Lanes OnsetEnvelope::floors(std::span<const Lanes, kMelBands> mel, std::size_t count) {
    Lanes loudest = mel[0];
    for (const Lanes& band : mel.subspan(1)) loudest = max(loudest, band);
    for (std::size_t i = 0; i < count; ++i) {
        loudest_ = std::max(loudest_, loudest[i]);
        loudest.set(i, loudest_);
    }
    const Lanes floor_db = decibels(max(loudest, kMinPower)) - kDepthDb;
    return select(loudest <= Lanes(kSilentPower), kNothingRisesAbove, floor_db);
}

std::vector<float> OnsetEnvelope::finish() const {
    const std::size_t frames = rise_.size() + 1;
    std::vector<float> envelope(frames, 0.0F);
    for (std::size_t t = kDelayFrames; t < frames; ++t) envelope[t] = rise_[t - kDelayFrames];
    return envelope;
}

}  // namespace auralis

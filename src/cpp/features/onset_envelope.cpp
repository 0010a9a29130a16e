#include "features/onset_envelope.h"

#include <algorithm>

namespace auralis {

namespace {

constexpr float kMinPower = 1e-10F;
// The mel power (largest band) that a full-scale 1 kHz sine reaches, in dB, less 80 dB; tests/numbers/test_kernels.py
// derives it from librosa.
constexpr float kFloorDb = 40.234204F - 80.0F;
// librosa centres the envelope: lag (1) plus half a frame in hops (2).
constexpr std::size_t kDelayFrames = 3;

}  // namespace

void OnsetEnvelope::push(const FrameBatch& batch, const SpectrumBatch& spectrum) {
    std::array<Lanes, kMelBands> mel;
    filters_.apply(spectrum.power, mel);
    Lanes rise(0.0F);  // lane i: from the frame before lane i to lane i
    for (std::size_t b = 0; b < kMelBands; ++b) {
        const Lanes db = max(decibels(max(mel[b], kMinPower)), kFloorDb);
        const Lanes before = shift_in<kLanes - 1>(Lanes(previous_db_[b]), db);
        rise += max(db - before, 0.0F);
        previous_db_[b] = db[kLanes - 1];
    }
    for (std::size_t i = started_ ? 0 : 1; i < batch.count; ++i)
        rise_.push_back(rise[i] * (1.0F / static_cast<float>(kMelBands)));
    started_ = true;
}

std::vector<float> OnsetEnvelope::finish() const {
    const std::size_t frames = rise_.size() + 1;
    std::vector<float> envelope(frames, 0.0F);
    for (std::size_t t = kDelayFrames; t < frames; ++t) envelope[t] = rise_[t - kDelayFrames];
    return envelope;
}

}  // namespace auralis

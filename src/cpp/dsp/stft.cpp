#include "dsp/stft.h"

#include "dsp/shared_table.h"

namespace auralis {

Stft::Stft() : window_(shared_table<HannWindow>(kFrameLength)), frames_(kFrameLength), fft_(kFrameLength) {}

void Stft::compute(const FrameBatch& batch, SpectrumBatch& spectrum) {
    load_frames(batch.samples, kHop, kFrameLength, window_.data(), frames_.data());
    fft_.forward(frames_.data(), [&](std::size_t k, Lanes re, Lanes im) {
        spectrum.power[k] = re * re + im * im;
        spectrum.magnitude[k] = sqrt(spectrum.power[k]);
    });
}

}  // namespace auralis

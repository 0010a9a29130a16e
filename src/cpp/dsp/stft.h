// Short-time Fourier transform of y: librosa.stft(y, n_fft=2048, hop_length=512), eight frames a call.
#pragma once

#include "base/aligned_vector.h"
#include "dsp/frames.h"
#include "dsp/real_fft.h"
#include "dsp/window.h"

namespace auralis {

class Stft {
public:
    Stft();

    void compute(const FrameBatch& batch, SpectrumBatch& spectrum);

private:
    const HannWindow& window_;
    AlignedVector<Lanes> frames_;
    RealFft fft_;
};

}  // namespace auralis

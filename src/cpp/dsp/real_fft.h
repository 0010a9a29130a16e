// KissFFT on eight signals at once, and real transforms on top of it.
//
// kissfft<> is a template on its scalar; with Lanes as the scalar one call transforms eight signals, lane
// by lane, and every butterfly is a vector operation.
#pragma once

#include <kissfft.hh>

#include <complex>
#include <cstddef>
#include <vector>

#include "base/aligned_vector.h"
#include "dsp/lanes.h"

// Defined in real_fft.cpp.
template <>
kissfft<auralis::Lanes>::kissfft(std::size_t nfft, bool inverse);
template <>
void kissfft<auralis::Lanes>::transform(const cpx_t* fft_in, cpx_t* fft_out, std::size_t stage, std::size_t fstride,
                                        std::size_t in_stride) const;

namespace auralis {

using ComplexLanes = std::complex<Lanes>;

// Discrete Fourier transform of eight real signals of n samples, n = 16, 32, 64 ...; bins 0 to n/2.
class RealFft {
public:
    explicit RealFft(std::size_t n);

    // Calls sink(k, re, im) once for every bin k of 0 .. n/2, in no particular order.
    // in: n Lanes, sample by sample.
    template <typename Sink>
    void forward(const Lanes* in, Sink&& sink) {
        // The n reals are n/2 complex numbers z[i] = x[2i] + i x[2i+1]. With Z their transform,
        // X[k] = E + W^k O and X[n/2 - k] = conj(E - W^k O), where E = (Z[k] + conj Z[n/2-k]) / 2,
        // O = (Z[k] - conj Z[n/2-k]) / 2i, W = exp(-2 pi i / n).
        tables_.forward.transform(reinterpret_cast<const ComplexLanes*>(in), spectrum_.data());
        const ComplexLanes z0 = spectrum_[0];
        sink(std::size_t{0}, z0.real() + z0.imag(), Lanes(0.0F));
        sink(half_, z0.real() - z0.imag(), Lanes(0.0F));
        for (std::size_t k = 1; 2 * k <= half_; ++k) {
            const ComplexLanes a = spectrum_[k];
            const ComplexLanes b = spectrum_[half_ - k];
            const Lanes even_re = 0.5F * (a.real() + b.real());
            const Lanes even_im = 0.5F * (a.imag() - b.imag());
            const Lanes odd_re = 0.5F * (a.imag() + b.imag());
            const Lanes odd_im = 0.5F * (b.real() - a.real());
            const float w_re = tables_.twiddles[k].real();
            const float w_im = tables_.twiddles[k].imag();
            const Lanes turned_re = odd_re * w_re - odd_im * w_im;
            const Lanes turned_im = odd_re * w_im + odd_im * w_re;
            sink(k, even_re + turned_re, even_im + turned_im);
            if (2 * k < half_) sink(half_ - k, even_re - turned_re, turned_im - even_im);
        }
    }

    // The real signals whose bins are bins(k), times n. bins gives re and im as ComplexLanes and is called once for
    // every k of 0 .. n/2, in no particular order; out: n Lanes.
    template <typename Bins>
    void inverse(Bins&& bins, Lanes* out) {
        // The same equations solved for Z: 2Z[k] = (X[k] + conj X[n/2-k]) + i conj(W^k) (X[k] - conj X[n/2-k]).
        const ComplexLanes first = bins(std::size_t{0}), last = bins(half_);
        spectrum_[0] = {first.real() + last.real(), first.real() - last.real()};
        for (std::size_t k = 1; 2 * k <= half_; ++k) {
            const std::size_t m = half_ - k;
            const ComplexLanes a = bins(k);
            const ComplexLanes b = m == k ? a : bins(m);
            const Lanes even_re = a.real() + b.real();
            const Lanes even_im = a.imag() - b.imag();
            const Lanes diff_re = a.real() - b.real();
            const Lanes diff_im = a.imag() + b.imag();
            const float w_re = tables_.twiddles[k].real();
            const float w_im = tables_.twiddles[k].imag();
            const Lanes odd_re = diff_re * w_re + diff_im * w_im;
            const Lanes odd_im = diff_im * w_re - diff_re * w_im;
            spectrum_[k] = {even_re - odd_im, even_im + odd_re};
            spectrum_[m] = {even_re + odd_im, odd_re - even_im};
        }
        tables_.inverse.transform(spectrum_.data(), reinterpret_cast<ComplexLanes*>(out));
    }

private:
    struct Tables {
        kissfft<Lanes> forward, inverse;
        std::vector<std::complex<float>> twiddles;  // exp(-2 pi i k / n)

        explicit Tables(std::size_t n);
    };

    std::size_t half_;
    const Tables& tables_;
    AlignedVector<ComplexLanes> spectrum_;
};

}  // namespace auralis

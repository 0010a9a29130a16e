// KissFFT on eight signals at once, and real transforms on top of it.
//
// kissfft<> is a template on its scalar; with Lanes as the scalar one call transforms eight signals, lane
// by lane, and every butterfly is a vector operation.
#pragma once

#include <kissfft.hh>

#include <bit>
#include <cmath>
#include <complex>
#include <cstddef>
#include <numbers>
#include <vector>

#include "dsp/lanes.h"

// KissFFT's own constructor asks the scalar for acos() and exp(), which vectors do not have, and would round
// angles to float. This one computes the twiddle factors in double and copies each to all lanes. The length is
// a power of two; a factor of 2, where it has an odd number of them, is taken out first, so that the last stage
// is one of radix 4.
template <>
inline kissfft<auralis::Lanes>::kissfft(const std::size_t nfft, const bool inverse) : _nfft(nfft), _inverse(inverse) {
    const double step = (inverse ? 2 : -2) * std::numbers::pi / static_cast<double>(nfft);
    for (std::size_t i = 0; i < nfft; ++i) {
        const auto w = std::polar(1.0, step * static_cast<double>(i));
        _twiddles.emplace_back(static_cast<float>(w.real()), static_cast<float>(w.imag()));
    }
    for (std::size_t rest = nfft; rest > 1;) {
        const std::size_t radix = std::countr_zero(rest) % 2 == 1 ? 2 : 4;
        rest /= radix;
        _stageRadix.push_back(radix);
        _stageRemainder.push_back(rest);
    }
}

// KissFFT's recursion with a shorter end: the last stage's twiddle factors are all 1, so it goes straight from
// the input to the output, without copies and multiplications.
template <>
inline void kissfft<auralis::Lanes>::transform(const cpx_t* fft_in, cpx_t* fft_out, const std::size_t stage,
                                               const std::size_t fstride, const std::size_t in_stride) const {
    const std::size_t radix = _stageRadix[stage];
    const std::size_t rest = _stageRemainder[stage];
    const std::size_t step = fstride * in_stride;
    if (rest == 1) {  // radix 4, since the constructor takes out 2 first
        const cpx_t even_sum = fft_in[0] + fft_in[2 * step];
        const cpx_t even_difference = fft_in[0] - fft_in[2 * step];
        const cpx_t odd_sum = fft_in[step] + fft_in[3 * step];
        const cpx_t odd_difference = fft_in[step] - fft_in[3 * step];
        const cpx_t turned = _inverse ? cpx_t(-odd_difference.imag(), odd_difference.real())
                                      : cpx_t(odd_difference.imag(), -odd_difference.real());
        fft_out[0] = even_sum + odd_sum;
        fft_out[1] = even_difference + turned;
        fft_out[2] = even_sum - odd_sum;
        fft_out[3] = even_difference - turned;
        return;
    }
    for (std::size_t i = 0; i < radix; ++i)
        transform(fft_in + i * step, fft_out + i * rest, stage + 1, fstride * radix, in_stride);
    if (radix == 4)
        kf_bfly4(fft_out, fstride, rest);
    else
        kf_bfly2(fft_out, fstride, rest);
}

namespace auralis {

using ComplexLanes = std::complex<Lanes>;

// Discrete Fourier transform of eight real signals of n samples, n = 8, 16, 32 ...; bins 0 to n/2.
class RealFft {
public:
    explicit RealFft(std::size_t n)
        : half_(n / 2), forward_(half_, false), inverse_(half_, true), spectrum_(half_), twiddles_(half_ / 2 + 1) {
        for (std::size_t k = 0; k < twiddles_.size(); ++k) {
            const auto w = std::polar(1.0, -std::numbers::pi * static_cast<double>(k) / static_cast<double>(half_));
            twiddles_[k] = {static_cast<float>(w.real()), static_cast<float>(w.imag())};
        }
    }

    // Calls sink(k, re, im) once for every bin k of 0 .. n/2, in no particular order.
    // in: n Lanes, sample by sample.
    template <typename Sink>
    void forward(const Lanes* in, Sink&& sink) {
        // The n reals are n/2 complex numbers z[i] = x[2i] + i x[2i+1]. With Z their transform,
        // X[k] = E + W^k O and X[n/2 - k] = conj(E - W^k O), where E = (Z[k] + conj Z[n/2-k]) / 2,
        // O = (Z[k] - conj Z[n/2-k]) / 2i, W = exp(-2 pi i / n).
        forward_.transform(reinterpret_cast<const ComplexLanes*>(in), spectrum_.data());
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
            const auto [w_re, w_im] = twiddles_[k];
            const Lanes turned_re = odd_re * w_re - odd_im * w_im;
            const Lanes turned_im = odd_re * w_im + odd_im * w_re;
            sink(k, even_re + turned_re, even_im + turned_im);
            if (2 * k < half_) sink(half_ - k, even_re - turned_re, turned_im - even_im);
        }
    }

    // The real signals whose bins are re + i im, times n. re, im: n/2 + 1 Lanes; out: n Lanes.
    void inverse(const Lanes* re, const Lanes* im, Lanes* out) {
        // The same equations solved for Z: 2Z[k] = (X[k] + conj X[n/2-k]) + i conj(W^k) (X[k] - conj X[n/2-k]).
        spectrum_[0] = {re[0] + re[half_], re[0] - re[half_]};
        for (std::size_t k = 1; 2 * k <= half_; ++k) {
            const std::size_t m = half_ - k;
            const Lanes even_re = re[k] + re[m];
            const Lanes even_im = im[k] - im[m];
            const Lanes diff_re = re[k] - re[m];
            const Lanes diff_im = im[k] + im[m];
            const auto [w_re, w_im] = twiddles_[k];
            const Lanes odd_re = diff_re * w_re + diff_im * w_im;
            const Lanes odd_im = diff_im * w_re - diff_re * w_im;
            spectrum_[k] = {even_re - odd_im, even_im + odd_re};
            spectrum_[m] = {even_re + odd_im, odd_re - even_im};
        }
        inverse_.transform(spectrum_.data(), reinterpret_cast<ComplexLanes*>(out));
    }

private:
    struct Twiddle {
        float re;
        float im;
    };

    std::size_t half_;
    kissfft<Lanes> forward_;
    kissfft<Lanes> inverse_;
    std::vector<ComplexLanes> spectrum_;
    std::vector<Twiddle> twiddles_;
};

}  // namespace auralis

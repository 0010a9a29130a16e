#include "dsp/real_fft.h"

#include <bit>
#include <cmath>
#include <numbers>

#include "dsp/shared_table.h"

// KissFFT's own constructor asks the scalar for acos() and exp(), which vectors do not have, would round angles to
// float, and would keep every twiddle factor eight times. This one computes them in double and packs eight into an
// element, so that the table stays in the fastest cache. The length is a power of two; a factor of 2, where it has an
// odd number of them, is taken out first, so that the last stage is one of radix 4.
template <>
kissfft<auralis::Lanes>::kissfft(const std::size_t nfft, const bool inverse) : _nfft(nfft), _inverse(inverse) {
    const double step = (inverse ? 2 : -2) * std::numbers::pi / static_cast<double>(nfft);
    std::vector<float> parts;
    for (std::size_t i = 0; i < nfft; ++i) {
        const auto w = std::polar(1.0, step * static_cast<double>(i));
        parts.push_back(static_cast<float>(w.real()));
        parts.push_back(static_cast<float>(w.imag()));
    }
    using auralis::Lanes, auralis::kLanes;
    for (std::size_t i = 0; i < parts.size(); i += 2 * kLanes)
        _twiddles.emplace_back(Lanes::load(&parts[i]), Lanes::load(&parts[i + kLanes]));
    for (std::size_t rest = nfft; rest > 1;) {
        const std::size_t radix = std::countr_zero(rest) % 2 == 1 ? 2 : 4;
        rest /= radix;
        _stageRadix.push_back(radix);
        _stageRemainder.push_back(rest);
    }
}

namespace auralis {

namespace {

const std::complex<float>* unpacked(const std::vector<ComplexLanes>& twiddles) {
    return reinterpret_cast<const std::complex<float>*>(twiddles.data());
}

ComplexLanes operator*(const ComplexLanes& z, std::complex<float> w) {
    return {z.real() * w.real() - z.imag() * w.imag(), z.real() * w.imag() + z.imag() * w.real()};
}

// Transforms four values that stand `step` apart in place of `out` ... out + 3 step.
void butterfly4(const ComplexLanes& a, const ComplexLanes& b, const ComplexLanes& c, const ComplexLanes& d,
                bool inverse, ComplexLanes* out, std::size_t step) {
    const ComplexLanes even_sum = a + c;
    const ComplexLanes even_difference = a - c;
    const ComplexLanes odd_sum = b + d;
    const ComplexLanes odd_difference = b - d;
    const ComplexLanes turned(odd_difference.imag(), -odd_difference.real());  // -i times it
    out[0] = even_sum + odd_sum;
    out[2 * step] = even_sum - odd_sum;
    out[inverse ? 3 * step : step] = even_difference + turned;
    out[inverse ? step : 3 * step] = even_difference - turned;
}

}  // namespace

}  // namespace auralis

// KissFFT's, with everything in registers between reading four values and writing them, and without
// multiplications by the sign of the direction.
template <>
void kissfft<auralis::Lanes>::kf_bfly4(cpx_t* const out, const std::size_t fstride, const std::size_t m) const {
    using auralis::operator*;
    const auto* w = auralis::unpacked(_twiddles);
    auralis::butterfly4(out[0], out[m], out[2 * m], out[3 * m], _inverse, out, m);  // all factors are 1
    for (std::size_t k = 1; k < m; ++k)
        auralis::butterfly4(out[k], out[k + m] * w[k * fstride], out[k + 2 * m] * w[2 * k * fstride],
                            out[k + 3 * m] * w[3 * k * fstride], _inverse, &out[k], m);
}

template <>
void kissfft<auralis::Lanes>::kf_bfly2(cpx_t* const out, const std::size_t fstride, const std::size_t m) const {
    using auralis::operator*;
    const auto* w = auralis::unpacked(_twiddles);
    for (std::size_t k = 0; k < m; ++k) {
        const cpx_t turned = out[k + m] * w[k * fstride];
        out[k + m] = out[k] - turned;
        out[k] += turned;
    }
}

// KissFFT's recursion with a shorter end: the last stage's twiddle factors are all 1, so it goes straight from
// the input to the output, and the last two stages are done in one call.
template <>
void kissfft<auralis::Lanes>::transform(const cpx_t* fft_in, cpx_t* fft_out, const std::size_t stage,
                                        const std::size_t fstride, const std::size_t in_stride) const {
    const std::size_t radix = _stageRadix[stage];
    const std::size_t rest = _stageRemainder[stage];
    const std::size_t step = fstride * in_stride;
    for (std::size_t i = 0; i < radix; ++i, fft_in += step) {
        if (rest == 4)
            auralis::butterfly4(fft_in[0], fft_in[radix * step], fft_in[2 * radix * step], fft_in[3 * radix * step],
                                _inverse, fft_out + 4 * i, 1);
        else
            transform(fft_in, fft_out + i * rest, stage + 1, fstride * radix, in_stride);
    }
    if (radix == 4)
        kf_bfly4(fft_out, fstride, rest);
    else
        kf_bfly2(fft_out, fstride, rest);
}

namespace auralis {

RealFft::Tables::Tables(std::size_t n) : forward(n / 2, false), inverse(n / 2, true) {
    for (std::size_t k = 0; k <= n / 4; ++k)
        twiddles.emplace_back(std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(n)));
}

RealFft::RealFft(std::size_t n) : half_(n / 2), tables_(shared_table<Tables>(n)), spectrum_(half_) {}

}  // namespace auralis

// The vector type of the core: eight floats that are computed together.
//
// Most steps keep the layout "lane = frame": element n of an array of Lanes holds value n of eight
// consecutive STFT frames. Code then reads like the scalar formula and needs no reduction across lanes.
// Built on the vector extension of GCC and Clang; where the CPU level has 32-byte registers one Lanes is
// one of them, elsewhere (SSE, NEON) it is two of 16 bytes, since compilers split wider vectors badly.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numbers>

namespace auralis {

inline constexpr std::size_t kLanes = 8;
#ifdef __AVX__
inline constexpr std::size_t kParts = 1;
#else
inline constexpr std::size_t kParts = 2;
#endif
inline constexpr std::size_t kPartLanes = kLanes / kParts;

// Eight truth values: all bits of a lane set, or none.
struct Mask {
    using Native __attribute__((vector_size(kPartLanes * sizeof(std::int32_t)))) = std::int32_t;
    Native part[kParts];

    bool operator[](std::size_t lane) const { return part[lane / kPartLanes][lane % kPartLanes] != 0; }
    friend Mask operator&(Mask a, Mask b) {
        for (std::size_t p = 0; p < kParts; ++p) a.part[p] &= b.part[p];
        return a;
    }
};

struct alignas(kLanes * sizeof(float)) Lanes {
    using Native __attribute__((vector_size(kPartLanes * sizeof(float)))) = float;

    Native part[kParts];

    Lanes() = default;
    // Spelled out, since GCC copies the default way in 16-byte pieces, and a 32-byte load cannot be served
    // from stores still under way in pieces: the FFT took twice as long.
    Lanes(const Lanes& o) {
        for (std::size_t p = 0; p < kParts; ++p) part[p] = o.part[p];
    }
    Lanes& operator=(const Lanes& o) {
        for (std::size_t p = 0; p < kParts; ++p) part[p] = o.part[p];
        return *this;
    }
    // Implicit, so that formulas and KissFFT may mix lanes and plain numbers.
    Lanes(float x) {
        for (std::size_t p = 0; p < kParts; ++p) part[p] = x - Native{};
    }

    static Lanes load(const float* from) {
        Lanes r;
        std::memcpy(r.part, from, sizeof r.part);
        return r;
    }
    void store(float* to) const { std::memcpy(to, part, sizeof part); }

    float operator[](std::size_t lane) const { return part[lane / kPartLanes][lane % kPartLanes]; }
    void set(std::size_t lane, float x) { part[lane / kPartLanes][lane % kPartLanes] = x; }

    Lanes operator-() const {
        Lanes r;
        for (std::size_t p = 0; p < kParts; ++p) r.part[p] = -part[p];
        return r;
    }
    Lanes& operator+=(Lanes o) {
        for (std::size_t p = 0; p < kParts; ++p) part[p] += o.part[p];
        return *this;
    }
    Lanes& operator-=(Lanes o) {
        for (std::size_t p = 0; p < kParts; ++p) part[p] -= o.part[p];
        return *this;
    }
    Lanes& operator*=(Lanes o) {
        for (std::size_t p = 0; p < kParts; ++p) part[p] *= o.part[p];
        return *this;
    }
    Lanes& operator/=(Lanes o) {
        for (std::size_t p = 0; p < kParts; ++p) part[p] /= o.part[p];
        return *this;
    }
    friend Lanes operator+(Lanes a, Lanes b) { return a += b; }
    friend Lanes operator-(Lanes a, Lanes b) { return a -= b; }
    friend Lanes operator*(Lanes a, Lanes b) { return a *= b; }
    friend Lanes operator/(Lanes a, Lanes b) { return a /= b; }

    friend Mask operator<(Lanes a, Lanes b) {
        Mask r;
        for (std::size_t p = 0; p < kParts; ++p) r.part[p] = a.part[p] < b.part[p];
        return r;
    }
    friend Mask operator<=(Lanes a, Lanes b) {
        Mask r;
        for (std::size_t p = 0; p < kParts; ++p) r.part[p] = a.part[p] <= b.part[p];
        return r;
    }
};

inline Lanes min(Lanes a, Lanes b) {
    for (std::size_t p = 0; p < kParts; ++p) a.part[p] = a.part[p] < b.part[p] ? a.part[p] : b.part[p];
    return a;
}

inline Lanes max(Lanes a, Lanes b) {
    for (std::size_t p = 0; p < kParts; ++p) a.part[p] = a.part[p] > b.part[p] ? a.part[p] : b.part[p];
    return a;
}

inline Lanes select(Mask where, Lanes yes, Lanes no) {
    for (std::size_t p = 0; p < kParts; ++p) yes.part[p] = where.part[p] ? yes.part[p] : no.part[p];
    return yes;
}

inline Lanes sqrt(Lanes x) {
    for (std::size_t p = 0; p < kParts; ++p)
        for (std::size_t i = 0; i < kPartLanes; ++i) x.part[p][i] = __builtin_sqrtf(x.part[p][i]);
    return x;
}

// Sum in double precision.
inline double sum(Lanes x) {
    double s = 0;
    for (std::size_t lane = 0; lane < kLanes; ++lane) s += static_cast<double>(x[lane]);
    return s;
}

// Four doubles, for sums over samples and for recursive filters.
using Doubles __attribute__((vector_size(4 * sizeof(double)))) = double;

inline Doubles load_doubles(const float* from) {
    Doubles d;
    for (std::size_t i = 0; i < 4; ++i) d[i] = static_cast<double>(from[i]);
    return d;
}

inline double sum(Doubles x) { return (x[0] + x[1]) + (x[2] + x[3]); }

// The shuffles are templates on the vector type only so that the branch for the other register width is
// never instantiated.

// The eight values that start kShift lanes into the sixteen of (a, b): shift_in<1>(a, b) = a1 .. a7, b0.
template <int kShift, typename L>
L shift_in(L a, L b) {
    L r;
    if constexpr (kParts == 1 && sizeof(L::part[0]) == 32) {
        r.part[0] = __builtin_shufflevector(a.part[0], b.part[0], kShift, kShift + 1, kShift + 2, kShift + 3,
                                            kShift + 4, kShift + 5, kShift + 6, kShift + 7);
    } else {
        const typename L::Native quarters[5] = {a.part[0], a.part[1], b.part[0], b.part[1], b.part[1]};
        constexpr int kFrom = kShift / 4;
        constexpr int kBy = kShift % 4;
        for (int p = 0; p < 2; ++p)
            r.part[p] =
                __builtin_shufflevector(quarters[kFrom + p], quarters[kFrom + p + 1], kBy, kBy + 1, kBy + 2, kBy + 3);
    }
    return r;
}

// Within each 16-byte quarter: a0 b0 a1 b1, or with kHigh = 1 a2 b2 a3 b3.
template <int kHigh, typename V>
V interleave_singles(V a, V b) {
    constexpr int o = 2 * kHigh;
    if constexpr (sizeof(V) == 32)
        return __builtin_shufflevector(a, b, o, o + 8, o + 1, o + 9, o + 4, o + 12, o + 5, o + 13);
    else
        return __builtin_shufflevector(a, b, o, o + 4, o + 1, o + 5);
}

// Within each 16-byte quarter: a0 a1 b0 b1, or with kHigh = 1 a2 a3 b2 b3.
template <int kHigh, typename V>
V interleave_pairs(V a, V b) {
    constexpr int o = 2 * kHigh;
    if constexpr (sizeof(V) == 32)
        return __builtin_shufflevector(a, b, o, o + 1, o + 8, o + 9, o + 4, o + 5, o + 12, o + 13);
    else
        return __builtin_shufflevector(a, b, o, o + 1, o + 4, o + 5);
}

// Of eight lanes each: a0 .. a3 b0 .. b3, or with kHigh = 1 a4 .. a7 b4 .. b7.
template <int kHigh, typename L>
L join_halves(const L& a, const L& b) {
    L r;
    if constexpr (kParts == 1 && sizeof(L::part[0]) == 32) {
        constexpr int o = 4 * kHigh;
        r.part[0] = __builtin_shufflevector(a.part[0], b.part[0], o, o + 1, o + 2, o + 3, o + 8, o + 9, o + 10, o + 11);
    } else {
        r.part[0] = a.part[kHigh];
        r.part[1] = b.part[kHigh];
    }
    return r;
}

// The lanes in reverse order.
template <typename L>
L reverse(const L& a) {
    L r;
    for (std::size_t p = 0; p < kParts; ++p) {
        const auto& from = a.part[kParts - 1 - p];
        if constexpr (sizeof(L::part[0]) == 32)
            r.part[p] = __builtin_shufflevector(from, from, 7, 6, 5, 4, 3, 2, 1, 0);
        else
            r.part[p] = __builtin_shufflevector(from, from, 3, 2, 1, 0);
    }
    return r;
}

// Transposes an 8 x 8 block in place: row r, lane c becomes row c, lane r.
inline void transpose(std::array<Lanes, kLanes>& rows) {
    for (std::size_t h = 0; h < kLanes; h += 4) {
        for (std::size_t p = 0; p < kParts; ++p) {  // the 4 x 4 blocks, each in its place
            const auto ab_low = interleave_singles<0>(rows[h].part[p], rows[h + 1].part[p]);
            const auto ab_high = interleave_singles<1>(rows[h].part[p], rows[h + 1].part[p]);
            const auto cd_low = interleave_singles<0>(rows[h + 2].part[p], rows[h + 3].part[p]);
            const auto cd_high = interleave_singles<1>(rows[h + 2].part[p], rows[h + 3].part[p]);
            rows[h].part[p] = interleave_pairs<0>(ab_low, cd_low);
            rows[h + 1].part[p] = interleave_pairs<1>(ab_low, cd_low);
            rows[h + 2].part[p] = interleave_pairs<0>(ab_high, cd_high);
            rows[h + 3].part[p] = interleave_pairs<1>(ab_high, cd_high);
        }
    }
    for (std::size_t i = 0; i < 4; ++i) {  // then the off-diagonal blocks change places
        const Lanes top = rows[i];
        const Lanes bottom = rows[i + 4];
        rows[i] = join_halves<0>(top, bottom);
        rows[i + 4] = join_halves<1>(top, bottom);
    }
}

// A positive normal number as mantissa * 2^exponent with the mantissa in [sqrt(1/2), sqrt(2)).
struct Decomposed {
    Lanes mantissa;
    Lanes exponent;
};

inline Decomposed decompose(Lanes x) {
    constexpr std::int32_t kSqrtHalfBits = 0x3f3504f3;
    Decomposed r;
    for (std::size_t p = 0; p < kParts; ++p) {
        const auto bits = std::bit_cast<Mask::Native>(x.part[p]);
        const auto exponent = (bits - kSqrtHalfBits) >> 23;
        r.mantissa.part[p] = std::bit_cast<Lanes::Native>(bits - (exponent << 23));
        r.exponent.part[p] = __builtin_convertvector(exponent, Lanes::Native);
    }
    return r;
}

// Base-2 logarithm of positive normal numbers by log2((1+s)/(1-s)) = 2/ln 2 (s + s^3/3 + s^5/5 + ...) with
// s = (m-1)/(m+1), |s| < 0.172; the first term left out is below 1e-8, the error that of float arithmetic.
inline Lanes log2(Lanes x) {
    const auto [mantissa, exponent] = decompose(x);
    const Lanes s = (mantissa - 1.0F) / (mantissa + 1.0F);
    const Lanes s2 = s * s;
    const Lanes series = (((s2 * (1.0F / 9) + 1.0F / 7) * s2 + 1.0F / 5) * s2 + 1.0F / 3) * s2 + 1.0F;
    return exponent + series * s * (2.0F * std::numbers::log2e_v<float>);
}

// 10 log10 of positive normal numbers.
inline Lanes decibels(Lanes power) {
    constexpr float kDecibelsPerOctave = 10.0F * std::numbers::ln2_v<float> / std::numbers::ln10_v<float>;
    return log2(power) * kDecibelsPerOctave;
}

}  // namespace auralis

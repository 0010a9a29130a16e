// Sixteen values of 16 bits in the place of eight floats: for steps that compare a lot and calculate little.
//
// A value is a float from 0 to 2^34, rounded to nine bits after the leading one: to 0.1 %. Such values are in the order
// of their bits, so that minimum and maximum are those of integers, and a median of them is the median, rounded.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "dsp/lanes.h"

namespace auralis {

inline constexpr std::size_t kShortLanes = 2 * kLanes;

struct alignas(kShortLanes * sizeof(std::uint16_t)) ShortLanes {
    using Native __attribute__((vector_size(kShortLanes / kParts * sizeof(std::uint16_t)))) = std::uint16_t;

    Native part[kParts];

    ShortLanes() = default;
    // Spelled out for the same reason as those of Lanes.
    ShortLanes(const ShortLanes& o) {
        for (std::size_t p = 0; p < kParts; ++p) part[p] = o.part[p];
    }
    ShortLanes& operator=(const ShortLanes& o) {
        for (std::size_t p = 0; p < kParts; ++p) part[p] = o.part[p];
        return *this;
    }
};

inline ShortLanes min(ShortLanes a, ShortLanes b) {
    for (std::size_t p = 0; p < kParts; ++p) a.part[p] = a.part[p] < b.part[p] ? a.part[p] : b.part[p];
    return a;
}

inline ShortLanes max(ShortLanes a, ShortLanes b) {
    for (std::size_t p = 0; p < kParts; ++p) a.part[p] = a.part[p] > b.part[p] ? a.part[p] : b.part[p];
    return a;
}

namespace short_lanes {

// Of a number up to 2^34 times this, the exponent takes seven bits. What is less than 2^-92 becomes 0.
inline constexpr float kScale = 0x1p-34F;
inline constexpr int kDroppedBits = 14;

// Of floats that are not negative.
using Bits __attribute__((vector_size(kPartLanes * sizeof(std::uint32_t)))) = std::uint32_t;

// The lower half of every 32-bit element of a, then of b.
template <typename V>
V lower_halves(V a, V b) {
    if constexpr (sizeof(V) == 32)
        return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    else
        return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
}

// Within each 16-byte quarter: a0 b0 .. a3 b3, or with kHigh = 1 a4 b4 .. a7 b7.
template <int kHigh, typename V>
V interleave(V a, V b) {
    constexpr int o = 4 * kHigh;
    if constexpr (sizeof(V) == 32)
        return __builtin_shufflevector(a, b, o, o + 16, o + 1, o + 17, o + 2, o + 18, o + 3, o + 19, o + 8, o + 24,
                                       o + 9, o + 25, o + 10, o + 26, o + 11, o + 27);
    else
        return __builtin_shufflevector(a, b, o, o + 8, o + 1, o + 9, o + 2, o + 10, o + 3, o + 11);
}

// Of sixteen lanes each: a0 .. a7 b0 .. b7, or with kHigh = 1 a8 .. a15 b8 .. b15.
template <int kHigh, typename S>
S join_halves(const S& a, const S& b) {
    S r;
    if constexpr (sizeof(S::part[0]) == 32) {
        constexpr int o = 8 * kHigh;
        r.part[0] = __builtin_shufflevector(a.part[0], b.part[0], o, o + 1, o + 2, o + 3, o + 4, o + 5, o + 6, o + 7,
                                            o + 16, o + 17, o + 18, o + 19, o + 20, o + 21, o + 22, o + 23);
    } else {
        r.part[0] = a.part[kHigh];
        r.part[1] = b.part[kHigh];
    }
    return r;
}

}  // namespace short_lanes

// Lanes 0 to 7 from `low`, 8 to 15 from `high`, rounded.
inline ShortLanes shorten(Lanes low, Lanes high) {
    using namespace short_lanes;
    constexpr std::uint32_t kHalfStep = 1U << (kDroppedBits - 1);
    std::array<ShortLanes::Native, 2 * kParts> from;
    for (std::size_t p = 0; p < kParts; ++p) {
        const auto shortened = [](Lanes::Native x) {
            return std::bit_cast<ShortLanes::Native>((std::bit_cast<Bits>(x * kScale) + kHalfStep) >> kDroppedBits);
        };
        from[p] = shortened(low.part[p]);
        from[kParts + p] = shortened(high.part[p]);
    }
    ShortLanes r;
    for (std::size_t p = 0; p < kParts; ++p) r.part[p] = lower_halves(from[2 * p], from[2 * p + 1]);
    return r;
}

// Half of the lanes as floats: of every eight the first four, or with kHigh = 1 the last four.
template <int kHigh>
Lanes widen(const ShortLanes& x) {
    using namespace short_lanes;
    Lanes r;
    for (std::size_t p = 0; p < kParts; ++p) {
        const auto upper_halves = std::bit_cast<Bits>(interleave<kHigh>(ShortLanes::Native{}, x.part[p]));
        r.part[p] = std::bit_cast<Lanes::Native>(upper_halves >> (16 - kDroppedBits)) * (1 / kScale);
    }
    return r;
}

// Transposes a 16 x 16 block in place: row r, lane c becomes row c, lane r.
inline void transpose(std::array<ShortLanes, kShortLanes>& rows) {
    using namespace short_lanes;
    for (std::size_t h = 0; h < kShortLanes; h += 8) {
        for (std::size_t p = 0; p < kParts; ++p) {  // the 8 x 8 blocks, each in its place
            std::array<ShortLanes::Native, 8> block;
            for (std::size_t i = 0; i < 8; ++i) block[i] = rows[h + i].part[p];
            for (int round = 0; round < 3; ++round) {
                const auto before = block;
                for (std::size_t i = 0; i < 4; ++i) {
                    block[2 * i] = interleave<0>(before[i], before[i + 4]);
                    block[2 * i + 1] = interleave<1>(before[i], before[i + 4]);
                }
            }
            for (std::size_t i = 0; i < 8; ++i) rows[h + i].part[p] = block[i];
        }
    }
    for (std::size_t i = 0; i < 8; ++i) {  // then the off-diagonal blocks change places
        const ShortLanes top = rows[i];
        const ShortLanes bottom = rows[i + 8];
        rows[i] = short_lanes::join_halves<0>(top, bottom);
        rows[i + 8] = short_lanes::join_halves<1>(top, bottom);
    }
}

}  // namespace auralis

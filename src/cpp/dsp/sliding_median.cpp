#include "dsp/sliding_median.h"

#include <array>
#include <utility>

namespace auralis {

namespace {

inline void order(ShortLanes& a, ShortLanes& b) {
    const ShortLanes low = min(a, b);
    b = max(a, b);
    a = low;
}

// Batcher's odd-even merges of the two sorted halves of v.
inline void merge_2_2(ShortLanes* v) {
    order(v[0], v[2]);
    order(v[1], v[3]);
    order(v[1], v[2]);
}

inline void merge_4_4(ShortLanes* v) {
    for (int i = 0; i < 4; ++i) order(v[i], v[i + 4]);
    for (int i = 2; i < 4; ++i) order(v[i], v[i + 2]);
    for (int i = 1; i < 7; i += 2) order(v[i], v[i + 1]);
}

inline void merge_8_8(ShortLanes* v) {
    for (int i = 0; i < 8; ++i) order(v[i], v[i + 8]);
    for (int i = 4; i < 8; ++i) order(v[i], v[i + 4]);
    for (int i = 2; i < 14; i += 4) {
        order(v[i], v[i + 2]);
        order(v[i + 1], v[i + 3]);
    }
    for (int i = 1; i < 15; i += 2) order(v[i], v[i + 1]);
}

// Sorts a bitonic sequence (first rising, then falling, or a rotation of such).
template <std::size_t N>
inline void sort_bitonic(std::array<ShortLanes, N>& v) {
    for (std::size_t half = N / 2; half > 0; half /= 2)
        for (std::size_t i = 0; i < N; ++i)
            if ((i & half) == 0) order(v[i], v[i + half]);
}

// Of sorted a (2N values) and sorted b (N values) drops the N smallest and the N largest and returns the
// remaining N, sorted: the ranks that can still hold the median when N - 1 more values join.
template <std::size_t N>
inline std::array<ShortLanes, N> keep_middle(const ShortLanes* a, const ShortLanes* b) {
    std::array<ShortLanes, N> upper;  // of a's lower half and b: the larger N, bitonic
    for (std::size_t i = 0; i < N; ++i) upper[i] = max(a[i], b[N - 1 - i]);
    sort_bitonic(upper);
    std::array<ShortLanes, N> middle;  // of those and a's upper half: the smaller N, bitonic
    for (std::size_t i = 0; i < N; ++i) middle[i] = min(upper[i], a[2 * N - 1 - i]);
    sort_bitonic(middle);
    return middle;
}

// Eight consecutive values, and what sorting them passes through.
struct Block {
    std::array<ShortLanes, 8> value;
    std::array<ShortLanes, 8> pairs;  // 0-1, 2-3, 4-5, 6-7 sorted
    std::array<ShortLanes, 8> quads;  // 0-3, 4-7 sorted
    std::array<ShortLanes, 8> sorted;

    void load(const ShortLanes* in) {
        for (std::size_t i = 0; i < 8; ++i) value[i] = in[i];
        pairs = value;
        for (std::size_t i = 0; i < 8; i += 2) order(pairs[i], pairs[i + 1]);
        quads = pairs;
        merge_2_2(&quads[0]);
        merge_2_2(&quads[4]);
        sorted = quads;
        merge_4_4(sorted.data());
    }
};

inline ShortLanes median_of_3(ShortLanes low, ShortLanes high, ShortLanes x) { return max(low, min(high, x)); }

// The eight windows that start at left[1] .. left[7] and the core's first value all contain the 24 values of
// the core; output j adds left[j+1 ..] before it and right[.. j-1] after it, 7 values in total. Outputs 0-3
// share left 4-7, outputs 4-7 share right 0-3, pairs of outputs share a further pair.
inline void medians_of_group(const Block& left, const ShortLanes* core16, const ShortLanes* core8, const Block& right,
                             ShortLanes* out) {
    const auto core = keep_middle<8>(core16, core8);
    const auto with_left = keep_middle<4>(core.data(), &left.quads[4]);
    const auto with_right = keep_middle<4>(core.data(), &right.quads[0]);

    const auto m01 = keep_middle<2>(with_left.data(), &left.pairs[2]);
    const auto m23 = keep_middle<2>(with_left.data(), &right.pairs[0]);
    const auto m45 = keep_middle<2>(with_right.data(), &left.pairs[6]);
    const auto m67 = keep_middle<2>(with_right.data(), &right.pairs[4]);

    out[0] = median_of_3(m01[0], m01[1], left.value[1]);
    out[1] = median_of_3(m01[0], m01[1], right.value[0]);
    out[2] = median_of_3(m23[0], m23[1], left.value[3]);
    out[3] = median_of_3(m23[0], m23[1], right.value[2]);
    out[4] = median_of_3(m45[0], m45[1], left.value[5]);
    out[5] = median_of_3(m45[0], m45[1], right.value[4]);
    out[6] = median_of_3(m67[0], m67[1], left.value[7]);
    out[7] = median_of_3(m67[0], m67[1], right.value[6]);
}

}  // namespace

void sliding_median_31(const ShortLanes* in, std::size_t outputs, ShortLanes* out) {
    std::array<Block, 6> storage;
    std::array<Block*, 6> b;
    for (std::size_t i = 0; i < b.size(); ++i) b[i] = &storage[i];
    const ShortLanes* next = in - 1;
    for (std::size_t i = 0; i < 4; ++i, next += 8) b[i]->load(next);

    for (std::size_t o = 0; o < outputs; o += kMedianGroup, out += kMedianGroup) {
        for (std::size_t i = 4; i < 6; ++i, next += 8) b[i]->load(next);
        std::array<ShortLanes, 16> shared;  // by both groups of eight
        for (std::size_t i = 0; i < 8; ++i) {
            shared[i] = b[2]->sorted[i];
            shared[i + 8] = b[3]->sorted[i];
        }
        merge_8_8(shared.data());
        medians_of_group(*b[0], shared.data(), b[1]->sorted.data(), *b[4], out);
        medians_of_group(*b[1], shared.data(), b[4]->sorted.data(), *b[5], out + 8);
        b = {b[2], b[3], b[4], b[5], b[0], b[1]};
    }
}

}  // namespace auralis

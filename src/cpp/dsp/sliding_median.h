// Medians over 31 neighbours, sixteen sequences at a time.
//
// Neighbouring windows share all but one value. Sixteen consecutive outputs are computed together: what
// their windows share is sorted once, and the few values that differ are merged in, level by level, keeping
// only the ranks that can still be the median. All of it is min and max on whole vectors, about 30 of them
// an output, where a sorting network for each window would take 370.
#pragma once

#include <cstddef>

#include "dsp/short_lanes.h"

namespace auralis {

inline constexpr std::size_t kMedianWindow = 31;
inline constexpr std::size_t kMedianGroup = 16;  // outputs computed together

// out[i] = median(in[i] .. in[i + 30]) for i < outputs, a multiple of 16.
// Reads in[-1] to in[outputs + 30]; the first and last of these influence no result.
void sliding_median_31(const ShortLanes* in, std::size_t outputs, ShortLanes* out);

}  // namespace auralis

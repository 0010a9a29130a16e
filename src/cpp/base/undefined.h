// Marks a dimension that could not be measured.
#pragma once

#include <limits>

namespace auralis {

inline constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

}  // namespace auralis

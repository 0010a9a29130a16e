// Statistics over the per-frame and per-block values that finish() sees.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

namespace auralis {

inline double mean(std::span<const double> values) {
    double sum = 0;
    for (const double v : values) sum += v;
    return sum / static_cast<double>(values.size());
}

// Population standard deviation (ddof = 0).
inline double standard_deviation(std::span<const double> values) {
    const double average = mean(values);
    double sum = 0;
    for (const double v : values) sum += (v - average) * (v - average);
    return std::sqrt(sum / static_cast<double>(values.size()));
}

// numpy.median; `values` is reordered and must not be empty.
inline double median(std::vector<float>& values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    const double upper = *middle;
    if (values.size() % 2 == 1) return upper;
    return (static_cast<double>(*std::max_element(values.begin(), middle)) + upper) / 2;
}

}  // namespace auralis

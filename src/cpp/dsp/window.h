#pragma once

#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

namespace auralis {

// Periodic Hann window: sin^2(pi i / n).
inline std::vector<float> hann_window(std::size_t n) {
    std::vector<float> w(n);
    for (std::size_t i = 0; i < n; ++i) {
        const double s = std::sin(std::numbers::pi * static_cast<double>(i) / static_cast<double>(n));
        w[i] = static_cast<float>(s * s);
    }
    return w;
}

}  // namespace auralis

#pragma once

#include <cmath>
#include <cstddef>
#include <numbers>

#include "base/aligned_vector.h"

namespace auralis {

// Periodic Hann window: sin^2(pi i / n).
class HannWindow {
public:
    explicit HannWindow(std::size_t n) : values_(n) {
        for (std::size_t i = 0; i < n; ++i) {
            const double s = std::sin(std::numbers::pi * static_cast<double>(i) / static_cast<double>(n));
            values_[i] = static_cast<float>(s * s);
        }
    }

    const float* data() const { return values_.data(); }

private:
    AlignedVector<float> values_;
};

}  // namespace auralis

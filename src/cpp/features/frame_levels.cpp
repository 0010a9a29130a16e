#include "features/frame_levels.h"

#include <algorithm>
#include <cmath>

namespace auralis {

namespace {

constexpr double kActiveDb = -60.0;
constexpr double kSilentDb = -40.0;
constexpr std::size_t kHopsPerFrame = kFrameLength / kHop;

}  // namespace

void FrameLevels::push(const FrameBatch& batch) {
    // Neighbouring frames share three quarters of their samples: energies of whole hops are computed once.
    std::array<double, kLanes + kHopsPerFrame - 1> hop_energy;
    for (std::size_t h = 0; h < hop_energy.size(); ++h) {
        const float* p = batch.samples + h * kHop;
        Lanes energy(0.0F);
        for (std::size_t i = 0; i < kHop; i += kLanes) {
            const Lanes x = Lanes::load(p + i);
            energy += x * x;
        }
        hop_energy[h] = sum(energy);
    }
    for (std::size_t i = 0; i < batch.count; ++i) {
        double energy = 0;
        for (std::size_t h = 0; h < kHopsPerFrame; ++h) energy += hop_energy[i + h];
        mean_square_.push_back(static_cast<float>(energy / kFrameLength));
    }
}

double FrameLevels::threshold(double ratio_db) const {
    const float loudest = *std::max_element(mean_square_.begin(), mean_square_.end());
    return static_cast<double>(loudest) * std::pow(10.0, ratio_db / 10);
}

std::vector<bool> FrameLevels::active() const {
    const double gate = threshold(kActiveDb);
    std::vector<bool> active(mean_square_.size());
    for (std::size_t i = 0; i < active.size(); ++i) active[i] = static_cast<double>(mean_square_[i]) > gate;
    return active;
}

double FrameLevels::silence_ratio() const {
    const double gate = threshold(kSilentDb);
    if (gate == 0) return 1;
    const auto silent = std::ranges::count_if(mean_square_, [gate](float v) { return static_cast<double>(v) < gate; });
    return static_cast<double>(silent) / static_cast<double>(mean_square_.size());
}

}  // namespace auralis

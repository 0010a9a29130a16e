// Tempo, regularity of the pulse and density of onsets, from the onset envelope.
#pragma once

#include <functional>
#include <span>
#include <vector>

namespace auralis {

struct Pulse {
    double tempo_bpm;         // 40 to 200; kUndefined when the envelope has no period
    double rhythm_stability;  // 0 to 1; kUndefined where the tempo is
};

// Of windows of 16 s of the envelope: their autocorrelation at multiples of a beat's period times their spectrum at
// multiples of its frequency. The one mistakes a tempo for its fractions, the other for its multiples.
// poll: called between windows, may throw to stop.
Pulse measure_pulse(std::span<const float> envelope, const std::function<void()>& poll);

// Number of onsets: librosa.onset.onset_detect with its defaults.
std::size_t count_onsets(std::span<const float> envelope);

}  // namespace auralis

// Stops an analysis that runs too long, that its caller cancelled, or that Ctrl-C interrupts.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "base/error.h"

namespace auralis {

// Set from any thread; shared by the caller and any number of analyses.
using CancelFlag = std::shared_ptr<std::atomic<bool>>;

// Thrown when `signal_pending` returned true; the caller that supplied this function handles the signal.
struct SignalInterrupt {};

class Interrupt {
public:
    using Clock = std::chrono::steady_clock;

    Interrupt() = default;

    // signal_pending: asked at most every 50 ms on the analysing thread; may be empty.
    Interrupt(std::optional<std::chrono::duration<double>> timeout, CancelFlag cancelled,
              std::function<bool()> signal_pending);

    // Whether to stop. Safe inside C callbacks: never throws, and remembers the answer for poll().
    bool stop_requested() noexcept;

    // Throws AnalysisError (Timeout, Cancelled) or SignalInterrupt when it is time to stop.
    void poll(Stage stage);

private:
    enum class Reason { none, timeout, cancelled, signal };

    Reason reason_ = Reason::none;
    std::optional<std::chrono::duration<double>> timeout_;
    Clock::time_point deadline_ = Clock::time_point::max();
    Clock::time_point next_signal_check_ = Clock::time_point::min();
    CancelFlag cancelled_;
    std::function<bool()> signal_pending_;
};

}  // namespace auralis

#include "base/interrupt.h"

#include <utility>

namespace auralis {

namespace {
constexpr std::chrono::milliseconds kSignalCheckInterval{50};
}

Interrupt::Interrupt(std::optional<std::chrono::duration<double>> timeout, CancelFlag cancelled,
                     std::function<bool()> signal_pending)
    : timeout_(timeout), cancelled_(std::move(cancelled)), signal_pending_(std::move(signal_pending)) {
    // A deadline centuries away would overflow the clock's integer type; it can only mean "none".
    constexpr std::chrono::duration<double> kLongest = std::chrono::hours(24 * 365 * 100);
    if (timeout_ && *timeout_ < kLongest)
        deadline_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(*timeout_);
}

bool Interrupt::stop_requested() noexcept {
    if (reason_ != Reason::none) return true;
    if (cancelled_ && cancelled_->load(std::memory_order_relaxed)) {
        reason_ = Reason::cancelled;
        return true;
    }
    const auto now = Clock::now();
    if (now >= deadline_) {
        reason_ = Reason::timeout;
    } else if (signal_pending_ && now >= next_signal_check_) {
        next_signal_check_ = now + kSignalCheckInterval;
        if (signal_pending_()) reason_ = Reason::signal;
    }
    return reason_ != Reason::none;
}

void Interrupt::poll(Stage stage) {
    if (!stop_requested()) return;
    switch (reason_) {
        case Reason::timeout: {
            std::string seconds = std::to_string(timeout_.value_or(std::chrono::duration<double>{}).count());
            seconds.resize(seconds.find('.') + 4);
            throw AnalysisError(ErrorKind::Timeout, stage, "not finished within the timeout of " + seconds + " s");
        }
        case Reason::cancelled: throw AnalysisError(ErrorKind::Cancelled, stage, "cancelled by the caller");
        default: throw SignalInterrupt{};
    }
}

}  // namespace auralis

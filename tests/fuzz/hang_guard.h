// Ends the process, as a finding, when one input takes far more CPU time than the deadline given to its analysis.
#pragma once

#include <sys/time.h>

#include <chrono>
#include <csignal>
#include <cstdlib>

namespace auralis::fuzz {

// Time for every analysis. Slow input is not a finding; input that makes the core miss its deadline is.
inline constexpr std::chrono::duration<double> kDeadline{1.0};

// CPU time, so that neither a busy nor a suspended machine looks like a hang.
class HangGuard {
public:
    HangGuard() {
        std::signal(SIGVTALRM, [](int) { std::abort(); });
        set(kSeconds);
    }
    ~HangGuard() { set(0); }
    HangGuard(const HangGuard&) = delete;
    HangGuard& operator=(const HangGuard&) = delete;

private:
    static constexpr long kSeconds = 10;

    static void set(long seconds) {
        const itimerval timer{{0, 0}, {seconds, 0}};
        setitimer(ITIMER_VIRTUAL, &timer, nullptr);
    }
};

}  // namespace auralis::fuzz

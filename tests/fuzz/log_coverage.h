// Gives the fuzzer some insight into FFmpeg. The system's FFmpeg has no coverage counters, but it logs at many of its
// branches: each message that was not seen before counts as new coverage.
#pragma once

#include <array>
#include <cstdarg>
#include <cstddef>
#include <cstdint>

extern "C" {
#include <libavutil/log.h>
}

namespace auralis::fuzz {

// libFuzzer reads and clears what is in this section.
[[gnu::section("__libfuzzer_extra_counters")]] inline std::array<std::uint8_t, 8192> seen_messages;

inline void count_message(void*, int level, const char* format, va_list) {
    std::size_t hash = static_cast<std::size_t>(level);
    for (const char* c = format; *c != '\0'; ++c) hash = hash * 31 + static_cast<unsigned char>(*c);
    std::uint8_t& counter = seen_messages[hash % seen_messages.size()];
    if (counter < 255) ++counter;
}

inline void install_log_coverage() { av_log_set_callback(count_message); }

}  // namespace auralis::fuzz

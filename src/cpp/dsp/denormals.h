// Numbers too small for the normal range of floats cost a hundred cycles each and mean nothing in audio.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <cstdint>
#endif

namespace auralis {

// While it lives, this thread's floating-point unit flushes denormals to zero; restored afterwards, since the
// thread belongs to the caller.
class DenormalsFlushed {
public:
#if defined(__x86_64__)
    DenormalsFlushed() : saved_(_mm_getcsr()) { _mm_setcsr(saved_ | kFlushToZero | kDenormalsAreZero); }
    ~DenormalsFlushed() { _mm_setcsr(saved_); }
#elif defined(__aarch64__)
    DenormalsFlushed() {
        asm volatile("mrs %0, fpcr" : "=r"(saved_));
        asm volatile("msr fpcr, %0" ::"r"(saved_ | kFlushToZero));
    }
    ~DenormalsFlushed() { asm volatile("msr fpcr, %0" ::"r"(saved_)); }
#else
    DenormalsFlushed() = default;
#endif
    DenormalsFlushed(const DenormalsFlushed&) = delete;
    DenormalsFlushed& operator=(const DenormalsFlushed&) = delete;

private:
#if defined(__x86_64__)
    static constexpr unsigned kFlushToZero = 0x8000;
    static constexpr unsigned kDenormalsAreZero = 0x0040;
    unsigned saved_;
#elif defined(__aarch64__)
    static constexpr std::uint64_t kFlushToZero = std::uint64_t{1} << 24;
    std::uint64_t saved_ = 0;
#endif
};

}  // namespace auralis

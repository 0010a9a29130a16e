// Makes every allocation of an analysis fail, one at a time, and checks the outcome.
//
//   auralis_allocation_failures FILE [STRIDE [FIRST]]
//
// For n = FIRST, FIRST + STRIDE, ... up to the number of allocations of a run: one run in which the n-th fails, and
// one in which all from the n-th on fail. Each must end in an error that is one of ours or std::bad_alloc, or in the
// right result; leave no memory behind; and not influence a run after it. Prints a line for whatever is wrong:
//
//   KIND ORIGIN N     KIND: crash, hang, result, leak, spoiled; ORIGIN: who asked for the allocation, "core" or a
//                     function of FFmpeg, with a plus sign where all allocations after it failed too
//
// and exits with 1 if anything is wrong whose origin is the core. With AURALIS_TRACE set, does FIRST only, and prints
// where it was asked for.
#include <dlfcn.h>
#include <execinfo.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "analysis/analyze.h"
#include "io/ffmpeg_log.h"

// --- the allocator -------------------------------------------------------------------------------------------

// glibc's own names of the functions that are replaced below for this program and all its libraries.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);
}
// NOLINTEND(bugprone-reserved-identifier)

namespace {

constexpr std::size_t kOriginLength = 64;

// The program has one thread, and allocations before main() are none of ours.
struct Allocator {
    bool counting = false;
    std::int64_t asked = 0;      // allocations since counting began
    std::int64_t fail_from = 0;  // the first to fail, or 0
    std::int64_t fail_to = 0;    // the last
    std::int64_t live = 0;       // blocks allocated and not freed yet, since the program began

    bool trace = false;
    char* origin_kept = nullptr;  // where to keep who asked for the first that failed

    bool refuses() {
        if (!counting) return false;
        ++asked;
        if (fail_from == 0 || asked < fail_from || asked > fail_to) return false;
        counting = false;
        const bool refused = look_at_origin();
        counting = true;
        if (refused) errno = ENOMEM;
        return refused;
    }

    // Who asks; false if it is soxr, which crashes where it gets no memory. The Resampler makes sure that it does.
    bool look_at_origin() {
        void* frames[40];
        const int count = backtrace(frames, 40);
        if (trace && asked == fail_from) backtrace_symbols_fd(frames, count, STDERR_FILENO);
        const char* asking = "core";
        for (int i = 0; i < count; ++i) {
            Dl_info info{};
            if (dladdr(frames[i], &info) == 0) continue;
            if (std::strstr(info.dli_fname, "libsoxr") != nullptr) return false;
            // The outermost function of FFmpeg is the one that we called.
            if (std::strstr(info.dli_fname, "/libav") != nullptr && info.dli_sname != nullptr) asking = info.dli_sname;
        }
        if (asked == fail_from && origin_kept != nullptr) std::snprintf(origin_kept, kOriginLength, "%s", asking);
        return true;
    }
};
Allocator allocator;

void* counted(void* block) {
    if (block != nullptr) ++allocator.live;
    return block;
}

}  // namespace

extern "C" {
void* malloc(std::size_t size) { return allocator.refuses() ? nullptr : counted(__libc_malloc(size)); }

void* calloc(std::size_t count, std::size_t size) {
    return allocator.refuses() ? nullptr : counted(__libc_calloc(count, size));
}

void* realloc(void* block, std::size_t size) {
    if (block != nullptr && size == 0) --allocator.live;
    if (allocator.refuses()) return nullptr;
    void* moved = __libc_realloc(block, size);
    return block == nullptr ? counted(moved) : moved;
}

void* memalign(std::size_t alignment, std::size_t size) {
    return allocator.refuses() ? nullptr : counted(__libc_memalign(alignment, size));
}

void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }

int posix_memalign(void** block, std::size_t alignment, std::size_t size) {
    void* made = memalign(alignment, size);
    if (made == nullptr) return ENOMEM;
    *block = made;
    return 0;
}

void free(void* block) {
    if (block != nullptr) --allocator.live;
    __libc_free(block);
}
}

// --- a run ---------------------------------------------------------------------------------------------------

namespace {

using namespace auralis;

struct Outcome {
    std::optional<Analysis> analysis;
    std::string error;  // not written to while allocations fail
    bool hung = false;
};

// Bit for bit.
bool same(const Analysis& a, const Analysis& b) {
    const auto bits = [](double value) { return std::bit_cast<std::uint64_t>(value); };
    return std::ranges::equal(a.fingerprint.values(), b.fingerprint.values(), {}, bits, bits) &&
           a.metadata.samples_decoded == b.metadata.samples_decoded && a.metadata.codec == b.metadata.codec &&
           a.metadata.container == b.metadata.container && a.metadata.damaged_packets == b.metadata.damaged_packets &&
           a.metadata.declared_duration == b.metadata.declared_duration && a.metadata.peak == b.metadata.peak &&
           a.metadata.clipped_runs == b.metadata.clipped_runs && a.metadata.dc_offset == b.metadata.dc_offset;
}

Outcome run(const std::vector<std::uint8_t>& file, std::int64_t fail_from, std::int64_t fail_to) {
    Outcome outcome;
    allocator.asked = 0;
    allocator.fail_from = fail_from;
    allocator.fail_to = fail_to;
    allocator.counting = true;
    try {
        Interrupt interrupt(std::chrono::duration<double>(20), nullptr, {});
        MemorySource source(file);
        outcome.analysis = analyze_media(source, interrupt);
        allocator.counting = false;
    } catch (const AnalysisError& error) {
        allocator.counting = false;
        outcome.error = std::string(to_string(error.kind())) + ": " + error.what();
        outcome.hung = error.kind() == ErrorKind::Timeout;
    } catch (const std::bad_alloc&) {
        allocator.counting = false;
        outcome.error = "bad_alloc";
    }
    return outcome;
}

// --- the sweep -----------------------------------------------------------------------------------------------

constexpr int kCpuSeconds = 3;  // after which a run hangs

// Shared with the child that does the work, which may crash.
struct Progress {
    std::int64_t n = 0;
    bool to_the_end = false;  // all allocations from n on fail
    char origin[kOriginLength] = "core";
    std::int64_t of_the_core = 0;  // problems
    std::int64_t errors = 0, results = 0;

    void report(const char* kind) {
        std::printf("%s %s%s %lld\n", kind, origin, to_the_end ? "+" : "", static_cast<long long>(n));
        std::fflush(stdout);
        if (std::strcmp(origin, "core") == 0) ++of_the_core;
    }
};

class Sweep {
public:
    Sweep(const std::vector<std::uint8_t>& file, Progress& progress) : file_(file), progress_(progress) {
        Outcome right;
        for (int i = 0; i < 3; ++i) right = run(file_, 0, 0);  // what libraries keep for good they have after that
        allocations_ = allocator.asked;
        if (!right.analysis) {
            std::printf("cannot be analysed: %s\n", right.error.c_str());
            std::_Exit(2);
        }
        right_ = *right.analysis;
    }

    std::int64_t allocations() const { return allocations_; }

    void at(std::int64_t n, bool to_the_end) {
        const itimerval limit{{0, 0}, {kCpuSeconds, 0}};
        setitimer(ITIMER_VIRTUAL, &limit, nullptr);
        const std::int64_t before = allocator.live;
        {
            const Outcome outcome = run(file_, n, to_the_end ? INT64_MAX : n);
            ++(outcome.analysis ? progress_.results : progress_.errors);
            if (outcome.hung) progress_.report("hang");
            if (outcome.analysis && !same(*outcome.analysis, right_)) progress_.report("result");
        }
        if (allocator.live != before) progress_.report("leak");
        const Outcome after = run(file_, 0, 0);
        if (!after.analysis || !same(*after.analysis, right_)) progress_.report("spoiled");
    }

private:
    const std::vector<std::uint8_t>& file_;
    Progress& progress_;
    Analysis right_;
    std::int64_t allocations_ = 0;
};

// Goes on where `progress` stands, in a process of its own; whether it came to the end.
bool sweep(const std::vector<std::uint8_t>& file, std::int64_t stride, Progress& progress) {
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        Sweep work(file, progress);
        allocator.origin_kept = progress.origin;
        while (progress.n <= work.allocations()) {
            work.at(progress.n, progress.to_the_end);
            if (progress.to_the_end && allocator.trace) break;
            progress.n += progress.to_the_end ? stride : 0;
            progress.to_the_end = !progress.to_the_end;
        }
        std::_Exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFEXITED(status)) return true;
    progress.report(WTERMSIG(status) == SIGVTALRM ? "hang" : "crash");
    progress.n += progress.to_the_end ? stride : 0;
    progress.to_the_end = !progress.to_the_end;
    return false;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: %s FILE [STRIDE [FIRST]]\n", argv[0]);
        return 2;
    }
    static char line[512];
    std::setvbuf(stdout, line, _IOLBF, sizeof line);  // which would be allocated at the first report
    install_ffmpeg_log_capture();
    void* frame[1];
    backtrace(frame, 1);  // loads what it needs
    allocator.trace = std::getenv("AURALIS_TRACE") != nullptr;
    std::ifstream stream(argv[1], std::ios::binary);
    const std::vector<std::uint8_t> file{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
    void* shared = mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return 2;
    auto& progress = *new (shared) Progress;
    const std::int64_t stride = argc > 2 ? std::atoll(argv[2]) : 1;
    progress.n = argc > 3 ? std::atoll(argv[3]) : 1;
    while (!sweep(file, stride, progress)) continue;
    const long long runs = progress.errors + progress.results;
    std::printf("runs %lld\n", runs);
    return progress.of_the_core == 0 && runs > 0 ? 0 : 1;
}

// Fuzz target: the bytes of a file, through the whole pipeline.
#include <cstddef>
#include <cstdint>

#include "analysis/analyze.h"
#include "expect.h"
#include "hang_guard.h"
#include "log_coverage.h"

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    auralis::fuzz::install_log_coverage();
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace auralis;
    const fuzz::HangGuard guard;
    MemorySource source({data, size});
    Interrupt interrupt(fuzz::kDeadline, nullptr, nullptr);
    try {
        fuzz::expect_sane(analyze_media(source, interrupt));
    } catch (const AnalysisError& error) {
        fuzz::expect_sane(error);
        if (error.kind() == ErrorKind::Timeout) return -1;  // nothing to build on
    }
    return 0;
}

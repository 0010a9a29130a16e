// Reads that fail: with every error number, from every read of an analysis on. Each must end as Unreadable, which names
// the system's cause; some numbers mean something else to FFmpeg ("try again"), and must not reach it.
//
//   auralis_failing_source FILE...      prints one line for each other outcome, and at last how many were tried
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "analysis/analyze.h"
#include "io/ffmpeg_log.h"
#include "io/media_source.h"

namespace {

using namespace auralis;

constexpr int kMaxErrno = 133;

class FailingSource final : public MediaSource {
public:
    FailingSource(std::span<const std::uint8_t> bytes, int good_reads, int error)
        : source_(bytes), good_reads_(good_reads), error_(error) {}

    std::int64_t size() const noexcept override { return source_.size(); }
    std::int64_t read_at(std::int64_t offset, std::span<std::uint8_t> to) noexcept override {
        if (good_reads_ == 0) {
            failed_ = true;
            return -error_;
        }
        --good_reads_;
        return source_.read_at(offset, to);
    }

    bool failed() const { return failed_; }

private:
    MemorySource source_;
    int good_reads_;
    int error_;
    bool failed_ = false;
};

// What is wrong with the outcome, or nothing; `failed` says whether the analysis reached the failing read.
std::string complaint(std::span<const std::uint8_t> bytes, int good_reads, int error, bool& failed) {
    FailingSource source(bytes, good_reads, error);
    Interrupt interrupt;
    std::string outcome;
    try {
        analyze_media(source, interrupt);
        if (source.failed()) outcome = "a fingerprint";
    } catch (const AnalysisError& e) {
        const std::string cause = std::generic_category().message(error);
        const bool unnamed = !cause.starts_with("Unknown") && std::string(e.what()).find(cause) == std::string::npos;
        const bool right = e.kind() == ErrorKind::Unreadable && !unnamed;
        if (!right) outcome = std::string(to_string(e.kind())) + ": " + e.what();
    }
    failed = source.failed();
    return outcome;
}

}  // namespace

int main(int argc, char** argv) {
    install_ffmpeg_log_capture();
    std::setvbuf(stdout, nullptr, _IOLBF, 0);  // so that a hang shows where it is
    int tried = 0;
    int wrong = 0;
    for (const char* path : std::span(argv, static_cast<std::size_t>(argc)).subspan(1)) {
        std::ifstream file(path, std::ios::binary);
        const std::vector<char> content{std::istreambuf_iterator<char>(file), {}};
        const std::vector<std::uint8_t> bytes(content.begin(), content.end());
        bool failed = true;
        for (int good_reads = 0; failed; ++good_reads) {
            for (int error = 1; error <= kMaxErrno; ++error, ++tried) {
                const std::string what = complaint(bytes, good_reads, error, failed);
                if (what.empty()) continue;
                ++wrong;
                std::printf("%s, error %d after %d reads: %s\n", path, error, good_reads, what.c_str());
            }
        }
    }
    std::printf("tried %d\n", tried);
    return wrong == 0 ? 0 : 1;
}

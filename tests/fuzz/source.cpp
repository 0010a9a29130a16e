// Fuzz target: a source of bytes that breaks its promises, and interrupts at any point. The last bytes of the input
// say what goes wrong and when; the bytes in front are the file. It is only decoded: media.cpp checks the numbers.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "base/limits.h"
#include "expect.h"
#include "hang_guard.h"
#include "io/decoder.h"
#include "io/ffmpeg_log.h"

namespace {

using namespace auralis;

enum class Fault : std::uint8_t { none, short_read, nothing, error, odd_error, other_bytes, shrink, grow, cancel };

class FaultySource final : public MediaSource {
public:
    FaultySource(FuzzedDataProvider& input, CancelFlag cancelled) : cancelled_(std::move(cancelled)) {
        constexpr int kMaxFaults = 24;
        lies_about_size_ = input.ConsumeIntegral<std::uint8_t>() % 4 == 0;
        if (lies_about_size_) claimed_size_ = input.ConsumeIntegralInRange<std::int64_t>(0, INT64_MAX);
        const int count = input.ConsumeIntegralInRange(0, kMaxFaults);
        for (int i = 0; i < count; ++i) {
            const std::size_t reads_before = input.ConsumeIntegral<std::uint8_t>() % 16U;
            faults_.insert(faults_.end(), reads_before, {Fault::none, 0});
            faults_.push_back({static_cast<Fault>(input.ConsumeIntegral<std::uint8_t>() % 9),
                               input.ConsumeIntegral<std::uint16_t>()});
        }
        bytes_ = input.ConsumeRemainingBytes<std::uint8_t>();
        end_ = bytes_.size();
    }

    std::int64_t size() const noexcept override {
        return lies_about_size_ ? claimed_size_ : static_cast<std::int64_t>(bytes_.size());
    }

    std::int64_t read_at(std::int64_t offset, std::span<std::uint8_t> to) noexcept override {
        const auto [fault, detail] = reads_ < faults_.size() ? faults_[reads_] : Step{Fault::none, 0};
        ++reads_;
        switch (fault) {
            case Fault::nothing: return 0;
            case Fault::error: return -EIO;
            case Fault::odd_error: return -1 - detail % 140;
            case Fault::shrink: end_ = std::min<std::size_t>(end_, detail); break;
            case Fault::grow: end_ = bytes_.size(); break;
            case Fault::cancel: cancelled_->store(true); break;
            default: break;
        }
        if (offset < 0 || offset >= static_cast<std::int64_t>(end_)) return 0;
        const auto from = static_cast<std::size_t>(offset);
        std::size_t n = std::min(to.size(), end_ - from);
        if (fault == Fault::short_read) n = std::min<std::size_t>(n, 1 + detail % 64);
        std::memcpy(to.data(), bytes_.data() + from, n);
        if (fault == Fault::other_bytes) to[detail % n] ^= static_cast<std::uint8_t>(1 + detail / 256);
        return static_cast<std::int64_t>(n);
    }

private:
    struct Step {
        Fault fault;
        std::uint16_t detail;
    };

    CancelFlag cancelled_;
    std::vector<Step> faults_;  // one for each read
    std::vector<std::uint8_t> bytes_;
    std::size_t end_ = 0;
    std::size_t reads_ = 0;
    bool lies_about_size_ = false;
    std::int64_t claimed_size_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    install_ffmpeg_log_capture();
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const fuzz::HangGuard guard;
    FuzzedDataProvider input(data, size);
    const int polls_before_signal = input.ConsumeIntegral<std::uint8_t>();  // 255: no signal comes
    const auto cancelled = std::make_shared<std::atomic<bool>>(false);
    FaultySource source(input, cancelled);
    int polls = 0;
    Interrupt interrupt(fuzz::kDeadline, cancelled,
                        [&] { return polls_before_signal < 255 && polls++ >= polls_before_signal; });
    try {
        Decoder decoder(source, interrupt);
        const std::size_t channels = decoder.format().layout.channels();
        fuzz::expect(channels >= 1 && channels <= limits::kMaxChannels, "channels");
        for (auto planes = decoder.next(); !planes.empty(); planes = decoder.next()) {
            fuzz::expect(planes.size() == channels, "planes");
            for (const auto plane : planes) fuzz::expect(plane.size() == planes[0].size(), "samples of a plane");
        }
        fuzz::expect(decoder.damaged_packets() >= 0, "damaged packets");
    } catch (const AnalysisError& error) {
        fuzz::expect_sane(error);
        fuzz::expect(error.kind() != ErrorKind::Cancelled || cancelled->load(), "cancelled, but by whom?");
        if (error.kind() == ErrorKind::Timeout) return -1;
    } catch (const SignalInterrupt&) {
        fuzz::expect(polls > polls_before_signal, "interrupted, but by what?");
    }
    return 0;
}

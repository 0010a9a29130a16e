// The allocator of packaging/ffmpeg: aligned blocks that keep their content, whatever is done to them.
//
//   auralis_ffmpeg_allocation      prints a line for each fault, and at last how many steps were checked
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <random>
#include <utility>
#include <vector>

extern "C" {
#include "../../packaging/ffmpeg/allocation.h"
}

namespace {

constexpr int kSteps = 200'000;
constexpr std::size_t kBlocks = 64;

struct Block {
    void* bytes = nullptr;
    std::size_t size = 0;
    std::uint8_t content = 0;

    [[nodiscard]] bool holds(std::size_t count) const {
        const auto* const first = static_cast<const std::uint8_t*>(bytes);
        return std::all_of(first, first + count, [this](std::uint8_t byte) { return byte == content; });
    }
    void fill(std::uint8_t with) {
        content = with;
        std::fill_n(static_cast<std::uint8_t*>(bytes), size, with);
    }
};

bool is_aligned(const void* block, std::size_t alignment) {
    return reinterpret_cast<std::uintptr_t>(block) % alignment == 0;
}

}  // namespace

int main() {
    std::minstd_rand random(1);
    std::vector<Block> blocks(kBlocks);
    bool right = true;
    const auto check = [&right](bool condition, const char* what, int step) {
        if (condition) return;
        std::printf("step %d: %s\n", step, what);
        right = false;
    };
    for (int step = 0; step < kSteps; ++step) {
        Block& block = blocks[random() % kBlocks];
        check(block.holds(block.size), "content lost", step);
        // Small blocks mostly, as FFmpeg's are; some so large that malloc maps them on their own.
        const std::size_t size = 1 + random() % (step % 100 == 0 ? std::size_t{1} << 20U : std::size_t{600});
        if (random() % 3 == 0) {
            const std::size_t kept = std::min(size, block.size);
            block.bytes = reallocate(block.bytes, size);
            check(block.bytes != nullptr && is_aligned(block.bytes, 16), "realloc: no block, or not aligned", step);
            check(block.holds(kept), "realloc: content lost", step);
        } else {
            const std::size_t alignment = std::size_t{16} << random() % 3;
            deallocate(std::exchange(block.bytes, nullptr));
            check(allocate_aligned(&block.bytes, alignment, size) == 0, "no block", step);
            check(is_aligned(block.bytes, alignment), "not aligned", step);
        }
        block.size = size;
        block.fill(static_cast<std::uint8_t>(random() >> 8U));
    }
    for (const Block& block : blocks) deallocate(block.bytes);
    void* none = nullptr;
    constexpr std::size_t kTooLarge = std::numeric_limits<std::size_t>::max() - 20;
    check(allocate_aligned(&none, 64, kTooLarge) != 0 && none == nullptr, "a block larger than memory", kSteps);
    check(reallocate(nullptr, kTooLarge) == nullptr, "realloc: a block larger than memory", kSteps);
    std::printf("checked %d\n", kSteps);
    return right ? 0 : 1;
}

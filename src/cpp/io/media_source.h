// Where the bytes of a recording come from. The decoder reads nothing else: FFmpeg opens no file by itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace auralis {

class MediaSource {
public:
    virtual ~MediaSource() = default;

    virtual std::int64_t size() const noexcept = 0;

    // Number of bytes copied to `to`, fewer than asked for only at the end, or -errno.
    virtual std::int64_t read_at(std::int64_t offset, std::span<std::uint8_t> to) noexcept = 0;
};

// A regular file, opened read-only. Throws FileNotFound or Unreadable; pipes, devices and directories are
// refused without blocking.
class FileSource final : public MediaSource {
public:
    explicit FileSource(const std::string& path);
    ~FileSource() override;
    FileSource(const FileSource&) = delete;
    FileSource& operator=(const FileSource&) = delete;

    std::int64_t size() const noexcept override { return size_; }
    std::int64_t read_at(std::int64_t offset, std::span<std::uint8_t> to) noexcept override;

private:
    int fd_ = -1;
    std::int64_t size_ = 0;
};

// Bytes that the caller keeps alive.
class MemorySource final : public MediaSource {
public:
    explicit MemorySource(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

    std::int64_t size() const noexcept override { return static_cast<std::int64_t>(bytes_.size()); }
    std::int64_t read_at(std::int64_t offset, std::span<std::uint8_t> to) noexcept override;

private:
    std::span<const std::uint8_t> bytes_;
};

}  // namespace auralis

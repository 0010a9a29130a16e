#include "io/media_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/error.h"

namespace auralis {

namespace {

std::string describe(int error) { return std::generic_category().message(error); }

[[noreturn]] void refuse(const std::string& cause) { throw AnalysisError(ErrorKind::Unreadable, Stage::open, cause); }

const char* kind_of(mode_t mode) {
    if (S_ISDIR(mode)) return "is a directory";
    if (S_ISFIFO(mode)) return "is a pipe";
    if (S_ISSOCK(mode)) return "is a socket";
    return "is a device";
}

}  // namespace

FileSource::FileSource(const std::string& path) {
    // O_NONBLOCK: opening a pipe without a writer must not wait. It has no effect on regular files.
    do {
        fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    } while (fd_ < 0 && errno == EINTR);
    if (fd_ < 0) {
        const int error = errno;
        if (error == ENOENT || error == ENOTDIR)
            throw AnalysisError(ErrorKind::FileNotFound, Stage::open, describe(error));
        refuse(describe(error));
    }
    struct stat status{};
    if (::fstat(fd_, &status) != 0) {
        const int error = errno;
        ::close(fd_);
        refuse(describe(error));
    }
    if (!S_ISREG(status.st_mode)) {
        ::close(fd_);
        refuse(kind_of(status.st_mode));
    }
    size_ = status.st_size;
}

FileSource::~FileSource() { ::close(fd_); }

std::int64_t FileSource::read_at(std::int64_t offset, std::span<std::uint8_t> to) noexcept {
    std::size_t done = 0;
    while (done < to.size()) {
        const ssize_t n = ::pread(fd_, to.data() + done, to.size() - done, offset + static_cast<off_t>(done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        if (n == 0) break;
        done += static_cast<std::size_t>(n);
    }
    return static_cast<std::int64_t>(done);
}

std::int64_t MemorySource::read_at(std::int64_t offset, std::span<std::uint8_t> to) noexcept {
    if (offset < 0 || offset >= size()) return 0;
    const auto rest = bytes_.subspan(static_cast<std::size_t>(offset));
    const std::size_t n = std::min(rest.size(), to.size());
    std::memcpy(to.data(), rest.data(), n);
    return static_cast<std::int64_t>(n);
}

}  // namespace auralis

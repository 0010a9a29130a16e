// Keeps FFmpeg's messages off the user's terminal: the last one becomes the cause in an error instead.
#pragma once

#include <cstdint>
#include <string>

namespace auralis {

// Routes FFmpeg's log through this module; called once, when the module is loaded. Threads without a
// LogCapture keep FFmpeg's own behaviour.
void install_ffmpeg_log_capture();

// Collects what FFmpeg says on this thread while it lives.
class LogCapture {
public:
    LogCapture();
    ~LogCapture();
    LogCapture(const LogCapture&) = delete;
    LogCapture& operator=(const LogCapture&) = delete;

    // The most recent error message, or an empty string.
    const std::string& last_error() const { return last_error_; }

    // Error messages so far.
    std::int64_t errors() const { return errors_; }

    void receive(std::string line);

private:
    LogCapture* outer_;
    std::string last_error_;
    std::int64_t errors_ = 0;
};

}  // namespace auralis

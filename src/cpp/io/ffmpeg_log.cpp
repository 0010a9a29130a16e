#include "io/ffmpeg_log.h"

#include <cstdarg>
#include <cstddef>
#include <exception>
#include <utility>

extern "C" {
#include <libavutil/log.h>
}

namespace auralis {

namespace {

// FFmpeg passes no user pointer with every message, so the thread is what leads to the capture.
thread_local LogCapture* current_capture = nullptr;

void on_message(void* context, int level, const char* format, va_list arguments) {
    if (current_capture == nullptr) {
        av_log_default_callback(context, level, format, arguments);
        return;
    }
    if (level > AV_LOG_ERROR) return;
    char line[512];
    int print_prefix = 0;
    if (av_log_format_line2(context, level, format, arguments, line, sizeof line, &print_prefix) < 0) return;
    try {
        current_capture->receive(line);
    } catch (const std::exception&) {
        // Out of memory while keeping a message: it is lost.
    }
}

}  // namespace

void install_ffmpeg_log_capture() { av_log_set_callback(on_message); }

LogCapture::LogCapture() : outer_(std::exchange(current_capture, this)) {}

LogCapture::~LogCapture() { current_capture = outer_; }

void LogCapture::receive(std::string line) {
    ++errors_;
    while (!line.empty() && (line.back() == '\n' || line.back() == ' ' || line.back() == '.')) line.pop_back();
    const bool lists_what_we_allow = line.find("not on whitelist") != std::string::npos;
    if (!line.empty() && !lists_what_we_allow) last_error_ = std::move(line);
}

}  // namespace auralis

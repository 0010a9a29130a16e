// The one error type of the core: what kind, at which stage, why. The caller adds the file's name.
#pragma once

#include <stdexcept>
#include <string>

namespace auralis {

// Each kind is a Python exception class of the same name (auralis_fp/errors.py).
enum class ErrorKind {
    FileNotFound,
    Unreadable,
    Unsupported,
    CorruptAudio,
    NoAudio,
    InvalidSamples,
    ResourceLimit,
    Timeout,
    Cancelled,
};

enum class Stage { arguments, open, probe, decode, analyze };

class AnalysisError : public std::runtime_error {
public:
    AnalysisError(ErrorKind kind, Stage stage, const std::string& cause)
        : std::runtime_error(cause), kind_(kind), stage_(stage) {}

    ErrorKind kind() const noexcept { return kind_; }
    Stage stage() const noexcept { return stage_; }

private:
    ErrorKind kind_;
    Stage stage_;
};

const char* to_string(ErrorKind kind) noexcept;
const char* to_string(Stage stage) noexcept;

}  // namespace auralis

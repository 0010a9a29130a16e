#include "base/error.h"

namespace auralis {

const char* to_string(ErrorKind kind) noexcept {
    switch (kind) {
        case ErrorKind::FileNotFound: return "FileNotFound";
        case ErrorKind::Unreadable: return "Unreadable";
        case ErrorKind::Unsupported: return "Unsupported";
        case ErrorKind::CorruptAudio: return "CorruptAudio";
        case ErrorKind::NoAudio: return "NoAudio";
        case ErrorKind::InvalidSamples: return "InvalidSamples";
        case ErrorKind::ResourceLimit: return "ResourceLimit";
        case ErrorKind::Timeout: return "Timeout";
        case ErrorKind::Cancelled: return "Cancelled";
    }
    return "AnalysisError";
}

const char* to_string(Stage stage) noexcept {
    switch (stage) {
        case Stage::arguments: return "arguments";
        case Stage::open: return "open";
        case Stage::probe: return "probe";
        case Stage::decode: return "decode";
        case Stage::analyze: return "analyze";
    }
    return "analyze";
}

}  // namespace auralis

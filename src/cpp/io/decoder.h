// Decodes one recording to planar float samples with FFmpeg's libraries, on the calling thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/channel_layout.h"
#include "base/interrupt.h"
#include "io/media_source.h"

namespace auralis {

struct AudioFormat {
    int sample_rate = 0;
    ChannelLayout layout{{}};
    std::string codec;      // FFmpeg's name, e.g. "mp3"
    std::string container;  // FFmpeg's demuxer name, e.g. "flac"
    // Seconds that the container's headers declare; estimates from bit rates or time stamps do not count.
    std::optional<double> declared_duration;
};

class Decoder {
public:
    // Opens the default audio stream and decodes its first samples. Both arguments must outlive the decoder.
    // Throws AnalysisError: Unsupported, NoAudio, CorruptAudio, Unreadable, ResourceLimit, Timeout, Cancelled.
    Decoder(MediaSource& source, Interrupt& interrupt);
    ~Decoder();
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;

    const AudioFormat& format() const;

    // The next samples: one span a channel, nominal full scale +-1, valid until the next call; empty at the
    // end. Encoder delay and padding are already trimmed as the container says.
    std::span<const std::span<const float>> next();

    // Packets that could not be decoded, packets whose parameters contradict the stream's, places where the
    // container was damaged, and one for an Ogg stream without an end.
    std::int64_t damaged_packets() const;

private:
    class Implementation;
    std::unique_ptr<Implementation> implementation_;
};

// Comma-separated FFmpeg names of the container formats that may be opened. Formats that refer to other
// files (playlists, concat scripts, image sequences, SDP) are not among them.
const char* allowed_demuxers();

}  // namespace auralis

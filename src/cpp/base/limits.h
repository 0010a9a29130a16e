// What one analysis may take. Together, the limits keep it below kMemoryCeiling, whatever a file's headers claim:
// FFmpeg does not limit its memory, so whatever makes it grow is limited instead. tests/files/test_limits.py measures
// it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace auralis::limits {

// Beyond what Python and the libraries take by themselves.
inline constexpr std::int64_t kMemoryCeiling = std::int64_t{1} << 29;

inline constexpr std::size_t kMaxChannels = 8;
inline constexpr int kMinSampleRate = 2'000;
inline constexpr int kMaxSampleRate = 768'000;

// Our own steps keep about 6 MB an hour.
inline constexpr int kMaxHours = 24;

// Bytes of headers, tags and pictures that are read before the first packet. Of Matroska, FFmpeg keeps up to 14
// times what it reads; of other containers up to 3 times.
inline constexpr std::int64_t kMaxHeaderBytes = std::int64_t{1} << 26;
inline constexpr std::int64_t kMaxMatroskaHeaderBytes = std::int64_t{1} << 24;
// Tags and chapters, over all streams: FFmpeg compares each with all before it, and appends to tags of the same name.
inline constexpr int kMaxTags = 2'000;
// Streams of a container, pictures included.
inline constexpr int kMaxStreams = 64;
// Entries of the edit lists of MP4, over all streams: for each, FFmpeg goes through the whole index.
inline constexpr std::int64_t kMaxEdits = 500;
// Fragments of MP4, times streams: 64 bytes each, and as many for a fragment.
inline constexpr std::int64_t kMaxFragments = 500'000;
// Packets that the container's index lists, over all streams. A track of MP4 with an edit list takes 52 bytes for each
// while it is read, and 32 when that is done.
inline constexpr std::int64_t kMaxIndexEntries = 5'000'000;
// Samples per channel of one packet.
inline constexpr std::int64_t kMaxPacketSamples = std::int64_t{1} << 21;
// One block of memory that FFmpeg asks for. FFmpeg has this limit for the process as a whole only (av_max_alloc), so it
// leaves room for what a host application may do with the same libraries.
inline constexpr std::size_t kMaxBlockBytes = std::size_t{1} << 27;

}  // namespace auralis::limits

#include "io/decoder.h"

#include <algorithm>
#include <string_view>
#include <system_error>
#include <utility>

extern "C" {
#include <libavutil/dict.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>
}

#include "base/limits.h"
#include "io/byte_stream.h"
#include "io/declared_length.h"
#include "io/ffmpeg_handles.h"
#include "io/ffmpeg_layout.h"
#include "io/ffmpeg_log.h"
#include "io/planar_float.h"
#include "io/recording_source.h"

namespace auralis {

namespace {

// What avformat_find_stream_info may read ahead (its default of 5 MB is for video).
constexpr int kProbeBytes = 64 * 1024;
constexpr const char* kRawPacketBytes = "16384";
// A demuxer that fails this often in a row without delivering a packet will not recover.
constexpr int kMaxReadErrorsInARow = 64;
// One or two foreign frames are damage (a corrupt header); more of them in a row are another recording.
constexpr double kMaxForeignSeconds = 1.0;

// Names of all audio decoders, so that probing never runs a video or image decoder on cover art.
std::string audio_decoder_names() {
    std::string names;
    void* state = nullptr;
    while (const AVCodec* codec = av_codec_iterate(&state)) {
        if (codec->type != AVMEDIA_TYPE_AUDIO || av_codec_is_decoder(codec) == 0) continue;
        if (!names.empty()) names += ',';
        names += codec->name;
    }
    return names;
}

}  // namespace

const char* allowed_demuxers() { return AURALIS_DEMUXERS; }

class Decoder::Implementation {
public:
    Implementation(MediaSource& source, Interrupt& interrupt)
        : recording_(source, interrupt), interrupt_(interrupt), bytes_(recording_, interrupt) {
        if (source.size() == 0) fail(ErrorKind::Unsupported, Stage::probe, "the file is empty");
        open_container();
        open_stream();
        first_ = next_frame();
        if (!first_) {
            if (damaged_packets_ > 0) fail(ErrorKind::CorruptAudio, Stage::decode, "no packet could be decoded");
            fail(ErrorKind::NoAudio, Stage::decode, "the audio stream holds no samples");
        }
    }

    const AudioFormat& format() const { return format_; }
    std::int64_t damaged_packets() const { return damaged_packets_; }

    std::span<const std::span<const float>> next() {
        const bool have = std::exchange(first_, false) || next_frame();
        if (!have) return {};
        return planar_.convert(*frame_);
    }

private:
    // --- opening -----------------------------------------------------------------------------------------

    static int stop_requested(void* interrupt) noexcept {
        return static_cast<Interrupt*>(interrupt)->stop_requested() ? 1 : 0;
    }

    static int refuse_open(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) noexcept {
        return AVERROR(EPERM);
    }

    void open_container() {
        // Once, so that a host application may set another limit afterwards.
        [[maybe_unused]] static const bool limited = (av_max_alloc(limits::kMaxBlockBytes), true);
        const std::string decoders = audio_decoder_names();
        AVFormatContext* context = require(avformat_alloc_context());  // avformat_open_input frees it if it fails
        context->pb = bytes_.context();
        context->flags |= AVFMT_FLAG_CUSTOM_IO;
        context->io_open = refuse_open;
        context->interrupt_callback = {stop_requested, &interrupt_};
        context->probesize = kProbeBytes;
        context->max_streams = limits::kMaxStreams;
        bytes_.watch(context);
        AVDictionary* options = nullptr;
        av_dict_set(&options, "format_whitelist", allowed_demuxers(), 0);
        av_dict_set(&options, "codec_whitelist", decoders.c_str(), 0);
        av_dict_set(&options, "protocol_whitelist", "", 0);
        // Of FLAC and other raw streams: each piece that is read costs a packet, and the default is 1 kB.
        av_dict_set(&options, "raw_packet_size", kRawPacketBytes, 0);
        // Of MP4: each packet of a track may be a chapter, at no cost in bytes.
        av_dict_set(&options, "ignore_chapters", "1", 0);
        const int opened = avformat_open_input(&context, nullptr, nullptr, &options);
        av_dict_free(&options);
        container_.reset(context);  // nothing if it failed
        check(opened, ErrorKind::Unsupported, Stage::probe,
              "not an audio file that auralis-fp knows, or damaged from its first byte");
    }

    void open_stream() {
        bytes_.opened();
        std::vector<std::optional<double>> declared;  // before FFmpeg replaces missing ones by estimates
        for (unsigned i = 0; i < container_->nb_streams; ++i) {
            AVStream& stream = *container_->streams[i];
            declared.push_back(declared_seconds(*container_, stream, recording_, interrupt_));
            if (stream.codecpar->codec_type != AVMEDIA_TYPE_AUDIO) stream.discard = AVDISCARD_ALL;
        }
        check(avformat_find_stream_info(container_.get(), nullptr), ErrorKind::CorruptAudio, Stage::probe,
              "the container's streams could not be read");
        const int index = av_find_best_stream(container_.get(), AVMEDIA_TYPE_AUDIO, -1, -1, nullptr, 0);
        if (index < 0) fail(ErrorKind::NoAudio, Stage::probe, "the file has no audio stream");
        for (unsigned i = 0; i < container_->nb_streams; ++i)
            container_->streams[i]->discard = static_cast<int>(i) == index ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
        stream_ = container_->streams[index];
        const auto at = static_cast<std::size_t>(index);
        if (at < declared.size()) format_.declared_duration = declared[at];

        const char* codec_name = avcodec_get_name(stream_->codecpar->codec_id);
        const AVCodec* codec = avcodec_find_decoder(stream_->codecpar->codec_id);
        if (codec == nullptr) fail(ErrorKind::Unsupported, Stage::probe, std::string("no decoder for ") + codec_name);
        codec_.reset(require(avcodec_alloc_context3(codec)));
        check(avcodec_parameters_to_context(codec_.get(), stream_->codecpar), ErrorKind::CorruptAudio, Stage::probe,
              "the stream's parameters are unusable");
        codec_->thread_count = 1;
        codec_->max_samples = limits::kMaxPacketSamples;
        codec_->pkt_timebase = stream_->time_base;
        check(avcodec_open2(codec_.get(), codec, nullptr), ErrorKind::Unsupported, Stage::probe,
              "the decoder refused the stream");
        packet_.reset(require(av_packet_alloc()));
        frame_.reset(require(av_frame_alloc()));
        format_.codec = codec_name;
        format_.container = container_->iformat->name;
        format_.container.resize(std::min(format_.container.size(), format_.container.find(',')));
        bytes_.headers_end();
    }

    // --- decoding ----------------------------------------------------------------------------------------

    // Decodes into frame_; false at the end of the stream.
    bool next_frame() {
        while (true) {
            interrupt_.poll(Stage::decode);
            const int received = avcodec_receive_frame(codec_.get(), frame_.get());
            if (received == 0) {
                if (frame_->nb_samples > 0 && accept_frame()) return true;
            } else if (received == AVERROR_EOF) {
                if (format_.container == "ogg" && ogg_end_is_missing(recording_)) ++damaged_packets_;
                return false;
            } else if (received == AVERROR(ENOMEM)) {
                fail_for_memory(Stage::decode);
            } else if (received != AVERROR(EAGAIN)) {
                ++damaged_packets_;
            }
            if (received == AVERROR(EAGAIN)) feed_decoder();
        }
    }

    // Hands the decoder one packet of our stream, or the end.
    void feed_decoder() {
        if (!read_packet()) {
            avcodec_send_packet(codec_.get(), nullptr);
            return;
        }
        const int sent = avcodec_send_packet(codec_.get(), packet_.get());
        av_packet_unref(packet_.get());
        if (sent == AVERROR(ENOMEM)) fail_for_memory(Stage::decode);
        if (sent < 0) ++damaged_packets_;
    }

    bool read_packet() {
        for (int errors = 0; errors < kMaxReadErrorsInARow;) {
            interrupt_.poll(Stage::decode);
            const std::int64_t complaints = log_.errors();
            const int got = av_read_frame(container_.get(), packet_.get());
            if (got == 0) {
                bytes_.packet_received();
                // Ogg pages with a wrong checksum, for example, are skipped without an error.
                if (log_.errors() > complaints) ++damaged_packets_;
                if (packet_->stream_index == stream_->index) return true;
                av_packet_unref(packet_.get());
                continue;
            }
            interrupt_.poll(Stage::decode);
            check_source(Stage::decode);
            if (got == AVERROR(ENOMEM)) fail_for_memory(Stage::decode);
            if (got == AVERROR_EOF) return false;
            if (errors++ == 0 && got != AVERROR(EAGAIN)) ++damaged_packets_;  // a run of errors counts once
        }
        return false;
    }

    // Whether the frame belongs to the recording: the first frame decides rate and channels.
    bool accept_frame() {
        const int rate = frame_->sample_rate;
        const int channels = frame_->ch_layout.nb_channels;
        if (format_.sample_rate == 0) {
            if (rate < limits::kMinSampleRate || rate > limits::kMaxSampleRate)
                fail(ErrorKind::Unsupported, Stage::decode,
                     "sample rate " + std::to_string(rate) + " Hz is outside " +
                         std::to_string(limits::kMinSampleRate) + " to " + std::to_string(limits::kMaxSampleRate) +
                         " Hz");
            if (channels < 1 || channels > static_cast<int>(limits::kMaxChannels))
                fail(ErrorKind::Unsupported, Stage::decode,
                     std::to_string(channels) + " channels; at most " + std::to_string(limits::kMaxChannels));
            if (!PlanarFloat::supports(frame_->format))
                fail(ErrorKind::Unsupported, Stage::decode, "unknown sample format");
            format_.sample_rate = rate;
            format_.layout = layout_of(frame_->ch_layout);
            return true;
        }
        if (rate == format_.sample_rate && channels == static_cast<int>(format_.layout.channels()) &&
            PlanarFloat::supports(frame_->format)) {
            foreign_seconds_ = 0;
            return true;
        }
        ++damaged_packets_;
        foreign_seconds_ += static_cast<double>(frame_->nb_samples) / std::max(rate, 1);
        if (foreign_seconds_ > kMaxForeignSeconds)
            fail(ErrorKind::Unsupported, Stage::decode,
                 "the stream changes from " + std::to_string(format_.sample_rate) + " Hz, " +
                     std::to_string(format_.layout.channels()) + " channels to " + std::to_string(rate) + " Hz, " +
                     std::to_string(channels) + " channels");
        return false;
    }

    // --- errors ------------------------------------------------------------------------------------------

    void check(int averror, ErrorKind kind, Stage stage, std::string_view cause) {
        if (averror >= 0) return;
        interrupt_.poll(stage);
        check_source(stage);
        if (averror == AVERROR(ENOMEM)) fail_for_memory(stage);
        fail(kind, stage, std::string(cause));
    }

    // Throws if the source of bytes stopped FFmpeg.
    void check_source(Stage stage) const {
        if (bytes_.limits().reached()) fail(ErrorKind::ResourceLimit, stage, bytes_.limits().text());
        if (bytes_.read_error() != 0)
            fail(ErrorKind::Unreadable, stage, std::generic_category().message(bytes_.read_error()));
    }

    [[noreturn]] void fail_for_memory(Stage stage) const {
        fail(ErrorKind::ResourceLimit, stage,
             "out of memory, or FFmpeg asked for more than " + std::to_string(limits::kMaxBlockBytes >> 20) +
                 " MB at once, or for more than " + std::to_string(limits::kMaxStreams) + " streams");
    }

    [[noreturn]] void fail(ErrorKind kind, Stage stage, std::string cause) const {
        if (kind != ErrorKind::Unreadable && kind != ErrorKind::ResourceLimit) {
            // Some demuxers turn a read that failed or was stopped into "no audio".
            interrupt_.poll(stage);
            check_source(stage);
        }
        if (!log_.last_error().empty()) cause += " (" + log_.last_error() + ")";
        throw AnalysisError(kind, stage, cause);
    }

    RecordingSource recording_;
    Interrupt& interrupt_;
    LogCapture log_;
    ByteStream bytes_;
    FormatHandle container_;  // uses bytes_, so declared after it
    AVStream* stream_ = nullptr;
    CodecHandle codec_;
    PacketHandle packet_;
    FrameHandle frame_;
    PlanarFloat planar_;
    AudioFormat format_;
    std::int64_t damaged_packets_ = 0;
    double foreign_seconds_ = 0;
    bool first_ = false;  // frame_ holds the first frame, decoded on opening and not yet handed out
};

Decoder::Decoder(MediaSource& source, Interrupt& interrupt)
    : implementation_(std::make_unique<Implementation>(source, interrupt)) {}
Decoder::~Decoder() = default;
const AudioFormat& Decoder::format() const { return implementation_->format(); }
std::span<const std::span<const float>> Decoder::next() { return implementation_->next(); }
std::int64_t Decoder::damaged_packets() const { return implementation_->damaged_packets(); }

}  // namespace auralis

// The compiled module: the core's functions for Python, without the GIL while they work.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "analysis/analyze.h"
#include "analysis/analyzer.h"
#include "bindings/build_info.h"
#include "bindings/python_guards.h"
#include "bindings/testing.h"
#include "io/ffmpeg_log.h"

namespace py = pybind11;

namespace {

using auralis::Analysis;
using auralis::AnalysisError;
using auralis::CancelFlag;
using auralis::GilReleased;
using auralis::HeldBuffer;
using auralis::Interrupt;

struct CancelToken {
    CancelFlag flag = std::make_shared<std::atomic<bool>>(false);
};

bool signal_pending() {
    const py::gil_scoped_acquire gil;
    return PyErr_CheckSignals() != 0;
}

// check_signals: on Python's main thread only, where handlers run; asking on others would only contend for the GIL.
Interrupt make_interrupt(std::optional<double> timeout, const CancelToken* cancel, bool check_signals) {
    std::optional<std::chrono::duration<double>> limit;
    if (timeout) limit.emplace(*timeout);
    return Interrupt(limit, cancel != nullptr ? cancel->flag : nullptr,
                     check_signals ? signal_pending : std::function<bool()>{});
}

py::dict to_dict(const auralis::Metadata& metadata) {
    py::dict d;
    d["duration"] = static_cast<double>(metadata.samples_decoded) / metadata.sample_rate;
    d["sample_rate"] = metadata.sample_rate;
    d["channels"] = metadata.channels;
    d["codec"] = metadata.codec;
    d["container"] = metadata.container;
    d["samples_decoded"] = metadata.samples_decoded;
    d["damaged_packets"] = metadata.damaged_packets;
    d["declared_duration"] = metadata.declared_duration;
    d["clipped_runs"] = metadata.clipped_runs;
    d["peak"] = metadata.peak;
    d["dc_offset"] = metadata.dc_offset;
    d["identical_channels"] = metadata.identical_channels;
    return d;
}

// Runs `work` without the GIL. Returns (values, metadata), or the (kind, stage, cause) of what auralis_fp.analysis
// raises.
// No Python code is called in here: a thread could be unwound from it by force, see GilReleased.
template <typename Work>
py::tuple run(Work&& work) {
    std::optional<Analysis> analysis;
    std::optional<AnalysisError> failure;
    {
        const GilReleased no_gil;
        try {
            analysis = work();
        } catch (const AnalysisError& error) {
            failure = error;
        } catch (const auralis::SignalInterrupt&) {
            // The handler's exception is pending, see below.
        } catch (const std::bad_alloc&) {
            failure = AnalysisError(auralis::ErrorKind::ResourceLimit, auralis::Stage::analyze, "out of memory");
        } catch (const std::length_error&) {
            failure = AnalysisError(auralis::ErrorKind::ResourceLimit, auralis::Stage::analyze, "out of memory");
        }
    }
    if (PyErr_Occurred() != nullptr) throw py::error_already_set();
    if (failure) return py::make_tuple(to_string(failure->kind()), to_string(failure->stage()), failure->what());
    py::array_t<double> values(static_cast<py::ssize_t>(auralis::kDimensions), analysis->fingerprint.values().data());
    return py::make_tuple(values, to_dict(analysis->metadata));
}

py::tuple analyze_file(const std::string& path, std::optional<double> timeout, const CancelToken* cancel,
                       bool check_signals) {
    Interrupt interrupt = make_interrupt(timeout, cancel, check_signals);
    return run([&] {
        auralis::FileSource source(path);
        return auralis::analyze_media(source, interrupt);
    });
}

py::tuple analyze_bytes(const py::object& data, std::optional<double> timeout, const CancelToken* cancel,
                        bool check_signals) {
    Interrupt interrupt = make_interrupt(timeout, cancel, check_signals);
    const HeldBuffer buffer(data);
    return run([&] {
        auralis::MemorySource source(buffer.bytes());
        return auralis::analyze_media(source, interrupt);
    });
}

auralis::SampleType sample_type(const py::dtype& type) {
    if (type.kind() == 'i') return auralis::SampleType::int16;
    return type.itemsize() == sizeof(float) ? auralis::SampleType::float32 : auralis::SampleType::float64;
}

// samples: (frames, channels), float32, float64 or int16 of this machine's byte order, in any strides;
// auralis_fp.analysis has checked it.
py::tuple analyze_samples(const py::array& samples, int sample_rate, std::optional<double> timeout,
                          const CancelToken* cancel, bool check_signals, std::size_t block_frames) {
    Interrupt interrupt = make_interrupt(timeout, cancel, check_signals);
    const auralis::SampleView view{samples.data(),
                                   static_cast<std::size_t>(samples.shape(0)),
                                   static_cast<std::size_t>(samples.shape(1)),
                                   sample_type(samples.dtype()),
                                   samples.strides(0),
                                   samples.strides(1)};
    return run([&] { return auralis::analyze_samples(view, sample_rate, interrupt, block_frames); });
}

}  // namespace

PYBIND11_MODULE(AURALIS_MODULE_NAME, m, py::mod_gil_not_used()) {
    m.doc() = "Compiled core of auralis_fp; use the functions of auralis_fp instead.";
    auralis::install_ffmpeg_log_capture();
    // pybind11 imports NumPy when it is first needed, and releases the GIL for that: so do it here, not in a thread
    // (see
    // GilReleased).
    const py::array_t<double> first(0);

    py::class_<CancelToken>(m, "CancelToken")
        .def(py::init<>())
        .def("cancel", [](const CancelToken& token) { token.flag->store(true); })
        .def_property_readonly("cancelled", [](const CancelToken& token) { return token.flag->load(); });

    m.attr("BLOCK_FRAMES") = auralis::Analyzer::kBlockSamples;
    m.def("analyze_file", analyze_file, py::arg("path"), py::arg("timeout"), py::arg("cancel"),
          py::arg("check_signals"));
    m.def("analyze_bytes", analyze_bytes, py::arg("data"), py::arg("timeout"), py::arg("cancel"),
          py::arg("check_signals"));
    m.def("analyze_samples", analyze_samples, py::arg("samples"), py::arg("sample_rate"), py::arg("timeout"),
          py::arg("cancel"), py::arg("check_signals"), py::arg("block_frames"));
    m.def("build_info", auralis::build_info);
    auralis::bind_testing(m.def_submodule("testing"));
}

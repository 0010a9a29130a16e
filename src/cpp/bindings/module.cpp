// The compiled module: the core's functions for Python, without the GIL while they work.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "bindings/build_info.h"
#include "bindings/kernels.h"
#include "core/analyzer.h"
#include "core/recording.h"
#include "io/ffmpeg_log.h"

namespace py = pybind11;

namespace {

using auralis::Analysis;
using auralis::AnalysisError;
using auralis::CancelFlag;
using auralis::Interrupt;

struct CancelToken {
    CancelFlag flag = std::make_shared<std::atomic<bool>>(false);
};

// Signal handlers run on Python's main thread only; asking on others would only contend for the GIL.
bool on_main_thread() {
    const py::module_ threading = py::module_::import("threading");
    return threading.attr("get_ident")().equal(threading.attr("main_thread")().attr("ident"));
}

bool signal_pending() {
    const py::gil_scoped_acquire gil;
    return PyErr_CheckSignals() != 0;
}

Interrupt make_interrupt(std::optional<double> timeout, const CancelToken* cancel) {
    std::optional<std::chrono::duration<double>> limit;
    if (timeout) limit.emplace(*timeout);
    return Interrupt(limit, cancel != nullptr ? cancel->flag : nullptr,
                     on_main_thread() ? signal_pending : std::function<bool()>{});
}

[[noreturn]] void raise(const AnalysisError& error, const py::object& path) {
    const py::object type = py::module_::import("auralis_fp.errors").attr(to_string(error.kind()));
    const py::object instance = type(error.what(), py::arg("stage") = to_string(error.stage()), py::arg("path") = path);
    PyErr_SetObject(type.ptr(), instance.ptr());
    throw py::error_already_set();
}

// Runs `work` without the GIL; gives (values, facts) or raises what auralis_fp.errors documents.
template <typename Work>
py::tuple run(const py::object& path, Work&& work) {
    std::optional<Analysis> analysis;
    std::optional<AnalysisError> failure;
    bool interrupted = false;
    {
        const py::gil_scoped_release no_gil;
        try {
            analysis = work();
        } catch (const AnalysisError& error) {
            failure = error;
        } catch (const auralis::SignalInterrupt&) {
            interrupted = true;
        } catch (const std::bad_alloc&) {
            failure = AnalysisError(auralis::ErrorKind::ResourceLimit, auralis::Stage::analyze, "out of memory");
        } catch (const std::length_error&) {
            failure = AnalysisError(auralis::ErrorKind::ResourceLimit, auralis::Stage::analyze, "out of memory");
        }
    }
    if (interrupted) throw py::error_already_set();
    if (failure) raise(*failure, path);
    const auto& facts = analysis->facts;
    py::array_t<double> values(static_cast<py::ssize_t>(auralis::kDimensions), analysis->fingerprint.values().data());
    py::dict metadata;
    metadata["duration"] = static_cast<double>(facts.samples_decoded) / facts.sample_rate;
    metadata["sample_rate"] = facts.sample_rate;
    metadata["channels"] = facts.channels;
    metadata["codec"] = facts.codec;
    metadata["container"] = facts.container;
    metadata["samples_decoded"] = facts.samples_decoded;
    metadata["damaged_packets"] = facts.damaged_packets;
    metadata["declared_duration"] = facts.declared_duration;
    metadata["clipped_runs"] = facts.clipped_runs;
    metadata["peak"] = facts.peak;
    metadata["dc_offset"] = facts.dc_offset;
    metadata["identical_channels"] = facts.identical_channels;
    return py::make_tuple(values, metadata);
}

py::tuple analyze_file(const std::string& path, const py::object& display_path, std::optional<double> timeout,
                       const CancelToken* cancel) {
    Interrupt interrupt = make_interrupt(timeout, cancel);
    return run(display_path, [&] {
        auralis::FileSource source(path);
        return auralis::analyze_media(source, interrupt);
    });
}

py::tuple analyze_bytes(const py::buffer& data, std::optional<double> timeout, const CancelToken* cancel) {
    Interrupt interrupt = make_interrupt(timeout, cancel);
    const py::buffer_info view = data.request();  // holds the buffer: the object cannot be resized meanwhile
    const auto bytes = static_cast<std::size_t>(view.size * view.itemsize);
    return run(py::str("<bytes>"), [&] {
        auralis::MemorySource source({static_cast<const std::uint8_t*>(view.ptr), bytes});
        return auralis::analyze_media(source, interrupt);
    });
}

// samples: C-contiguous (frames, channels), float32 or int16; auralis_fp.analysis has checked it.
py::tuple analyze_samples(const py::array& samples, int sample_rate, std::optional<double> timeout,
                          const CancelToken* cancel, std::size_t block_frames) {
    Interrupt interrupt = make_interrupt(timeout, cancel);
    const auralis::InterleavedSamples view{samples.data(), static_cast<std::size_t>(samples.shape(0)),
                                           static_cast<std::size_t>(samples.shape(1)), samples.dtype().kind() == 'i'};
    return run(py::str("<samples>"),
               [&] { return auralis::analyze_samples(view, sample_rate, interrupt, block_frames); });
}

}  // namespace

PYBIND11_MODULE(AURALIS_MODULE_NAME, m) {
    m.doc() = "Compiled core of auralis_fp; use the functions of auralis_fp instead.";
    auralis::install_ffmpeg_log_capture();

    py::class_<CancelToken>(m, "CancelToken")
        .def(py::init<>())
        .def("cancel", [](const CancelToken& token) { token.flag->store(true); })
        .def_property_readonly("cancelled", [](const CancelToken& token) { return token.flag->load(); });

    m.attr("BLOCK_FRAMES") = auralis::Analyzer::kBlockFrames;
    m.def("analyze_file", analyze_file, py::arg("path"), py::arg("display_path"), py::arg("timeout"),
          py::arg("cancel"));
    m.def("analyze_bytes", analyze_bytes, py::arg("data"), py::arg("timeout"), py::arg("cancel"));
    m.def("analyze_samples", analyze_samples, py::arg("samples"), py::arg("sample_rate"), py::arg("timeout"),
          py::arg("cancel"), py::arg("block_frames"));
    m.def("build_info", auralis::build_info);
    auralis::bind_kernels(m.def_submodule("kernels"));
}

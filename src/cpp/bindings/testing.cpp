#include "bindings/testing.h"

#include <pybind11/complex.h>
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <complex>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "dsp/denormals.h"
#include "dsp/filter_banks.h"
#include "dsp/frame_batcher.h"
#include "dsp/power_spectrum_sum.h"
#include "dsp/resampler.h"
#include "dsp/short_lanes.h"
#include "dsp/sliding_median.h"
#include "dsp/stft.h"
#include "features/onset_envelope.h"
#include "features/pitch.h"

namespace py = pybind11;

namespace auralis {

namespace {

using Floats = py::array_t<float, py::array::c_style | py::array::forcecast>;
using Shorts = py::array_t<std::uint16_t, py::array::c_style | py::array::forcecast>;

// Arrays of shape (n, 8): lane = column.
std::vector<Lanes> to_lanes(const Floats& array) {
    if (array.ndim() != 2 || array.shape(1) != static_cast<py::ssize_t>(kLanes))
        throw py::value_error("an array of shape (n, 8) is expected");
    std::vector<Lanes> lanes;
    for (py::ssize_t i = 0; i < array.shape(0); ++i) lanes.push_back(Lanes::load(array.data(i, 0)));
    return lanes;
}

Floats to_array(std::span<const Lanes> lanes) {
    Floats array({static_cast<py::ssize_t>(lanes.size()), static_cast<py::ssize_t>(kLanes)});
    for (std::size_t i = 0; i < lanes.size(); ++i) lanes[i].store(array.mutable_data(static_cast<py::ssize_t>(i), 0));
    return array;
}

Floats map_lanes(const Floats& x, Lanes (*function)(Lanes)) {
    auto lanes = to_lanes(x);
    for (Lanes& lane : lanes) lane = function(lane);
    return to_array(lanes);
}

Floats transposed(const Floats& x) {
    const auto lanes = to_lanes(x);
    std::array<Lanes, kLanes> block;
    if (lanes.size() != block.size()) throw py::value_error("an array of shape (8, 8) is expected");
    std::copy(lanes.begin(), lanes.end(), block.begin());
    transpose(block);
    return to_array(block);
}

std::vector<ShortLanes> to_short_lanes(const Shorts& array) {
    if (array.ndim() != 2 || array.shape(1) != static_cast<py::ssize_t>(kShortLanes))
        throw py::value_error("an array of shape (n, 16) is expected");
    std::vector<ShortLanes> lanes(static_cast<std::size_t>(array.shape(0)));
    for (std::size_t i = 0; i < lanes.size(); ++i)
        std::memcpy(lanes[i].part, array.data(static_cast<py::ssize_t>(i), 0), sizeof lanes[i].part);
    return lanes;
}

Shorts to_array(std::span<const ShortLanes> lanes) {
    Shorts array({static_cast<py::ssize_t>(lanes.size()), static_cast<py::ssize_t>(kShortLanes)});
    for (std::size_t i = 0; i < lanes.size(); ++i)
        std::memcpy(array.mutable_data(static_cast<py::ssize_t>(i), 0), lanes[i].part, sizeof lanes[i].part);
    return array;
}

Shorts shortened(const Floats& low, const Floats& high) {
    const auto a = to_lanes(low);
    const auto b = to_lanes(high);
    std::vector<ShortLanes> out;
    for (std::size_t i = 0; i < a.size(); ++i) out.push_back(shorten(a[i], b[i]));
    return to_array(out);
}

std::pair<Floats, Floats> widened(const Shorts& x) {
    std::vector<Lanes> first, last;
    for (const ShortLanes& lanes : to_short_lanes(x)) {
        first.push_back(widen<0>(lanes));
        last.push_back(widen<1>(lanes));
    }
    return {to_array(first), to_array(last)};
}

Shorts short_transposed(const Shorts& x) {
    const auto lanes = to_short_lanes(x);
    std::array<ShortLanes, kShortLanes> block;
    if (lanes.size() != block.size()) throw py::value_error("an array of shape (16, 16) is expected");
    std::copy(lanes.begin(), lanes.end(), block.begin());
    transpose(block);
    return to_array(block);
}

Shorts median_31(const Shorts& x) {
    const auto lanes = to_short_lanes(x);
    if (lanes.size() < kMedianWindow) throw py::value_error("at least 31 rows are expected");
    const std::size_t count = lanes.size() - kMedianWindow + 1;
    const std::size_t outputs = (count + kMedianGroup - 1) / kMedianGroup * kMedianGroup;
    std::vector<ShortLanes> padded(outputs + kMedianWindow + 1);
    std::copy(lanes.begin(), lanes.end(), padded.begin() + 1);
    std::vector<ShortLanes> out(outputs);
    sliding_median_31(&padded[1], outputs, out.data());
    return to_array(std::span(out).first(count));
}

std::pair<Floats, Floats> real_fft(const Floats& x) {
    const auto in = to_lanes(x);
    RealFft fft(in.size());
    std::vector<Lanes> re(in.size() / 2 + 1), im(re.size());
    fft.forward(in.data(), [&](std::size_t k, Lanes a, Lanes b) {
        re[k] = a;
        im[k] = b;
    });
    return {to_array(re), to_array(im)};
}

Floats inverse_real_fft(const Floats& re, const Floats& im) {
    const auto a = to_lanes(re);
    const auto b = to_lanes(im);
    std::vector<Lanes> out(2 * (a.size() - 1));
    RealFft(out.size()).inverse([&](std::size_t k) { return ComplexLanes(a[k], b[k]); }, out.data());
    return to_array(out);
}

// pairs: shape (count, 2, n).
std::vector<double> power_spectrum_sum(const Floats& pairs) {
    PowerSpectrumSum sum(static_cast<std::size_t>(pairs.shape(2)));
    for (py::ssize_t i = 0; i < pairs.shape(0); ++i) sum.add(pairs.data(i, 0, 0), pairs.data(i, 1, 0));
    return sum.finish();
}

template <std::size_t N, typename FilterBank>
Floats apply_filters(const Floats& power) {
    const auto lanes = to_lanes(power);
    std::array<Lanes, kBins> bins;
    if (lanes.size() != bins.size()) throw py::value_error("1025 bins are expected");
    std::copy(lanes.begin(), lanes.end(), bins.begin());
    std::array<Lanes, N> out;
    FilterBank().apply(bins, out);
    return to_array(out);
}

// Feeds y in pieces of `piece` samples.
template <typename Sink>
void for_batches(const Floats& y, std::size_t piece, Sink&& sink) {
    const DenormalsFlushed scope;
    FrameBatcher batcher;
    const std::span samples(y.data(), static_cast<std::size_t>(y.size()));
    for (std::size_t i = 0; i < samples.size(); i += piece)
        batcher.push(samples.subspan(i, std::min(piece, samples.size() - i)), sink);
    batcher.finish(sink);
}

// Feeds x in pieces of `piece` samples.
std::vector<float> resampled(const Floats& x, int rate, std::size_t piece) {
    const DenormalsFlushed scope;
    Resampler resampler(rate);
    std::vector<float> y;
    const auto keep = [&y](std::span<const float> some) { y.insert(y.end(), some.begin(), some.end()); };
    const std::span samples(x.data(), static_cast<std::size_t>(x.size()));
    for (std::size_t i = 0; i < samples.size(); i += piece)
        keep(resampler.push(samples.subspan(i, std::min(piece, samples.size() - i))));
    keep(resampler.finish());
    return y;
}

std::vector<float> yin_periods(const Floats& y, std::size_t piece) {
    Pitch pitch;
    for_batches(y, piece, [&](const FrameBatch& batch) { pitch.push(batch); });
    return pitch.periods();
}

std::vector<float> onset_envelope(const Floats& y, std::size_t piece) {
    Stft stft;
    SpectrumBatch spectrum;
    OnsetEnvelope onsets;
    for_batches(y, piece, [&](const FrameBatch& batch) {
        stft.compute(batch, spectrum);
        onsets.push(batch, spectrum);
    });
    return onsets.finish();
}

}  // namespace

void bind_testing(py::module_ module) {
    module.doc() = "Vector kernels on arrays of shape (n, 8) or (n, 16), and inner results of features, for tests.";
    module.def("log2", [](const Floats& x) { return map_lanes(x, log2); }, py::arg("x"));
    module.def("decibels", [](const Floats& x) { return map_lanes(x, decibels); }, py::arg("x"));
    module.def(
        "reverse", [](const Floats& x) { return map_lanes(x, [](Lanes l) { return reverse(l); }); }, py::arg("x"));
    module.def("transpose", transposed, py::arg("x"));
    module.def("shorten", shortened, py::arg("low"), py::arg("high"));
    module.def("widen", widened, py::arg("x"));
    module.def("transpose_short", short_transposed, py::arg("x"));
    module.def("median_31", median_31, py::arg("x"));
    module.def("real_fft", real_fft, py::arg("x"));
    module.def("inverse_real_fft", inverse_real_fft, py::arg("re"), py::arg("im"));
    module.def("power_spectrum_sum", power_spectrum_sum, py::arg("pairs"));
    module.def("mel", apply_filters<kMelBands, MelFilterBank>, py::arg("power"));
    module.def("chroma", apply_filters<kPitchClasses, ChromaFilterBank>, py::arg("power"));
    module.def("resample", resampled, py::arg("x"), py::arg("rate"), py::arg("piece"));
    module.def("yin_periods", yin_periods, py::arg("y"), py::arg("piece"));
    module.def("onset_envelope", onset_envelope, py::arg("y"), py::arg("piece"));
}

}  // namespace auralis

#include "dsp/decimator.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "dsp/shared_table.h"
#include "dsp/soxr_stream.h"

namespace auralis {

namespace {

constexpr std::size_t kRows = 64;  // of SplitFft, for kLength
constexpr std::size_t kColumns = 64;
constexpr std::size_t kHalf = kColumns / 2;

// What soxr makes of an impulse, `length` values around the impulse. It is asked twice, since it gives every other
// value.
std::vector<double> response(std::size_t length) {
    constexpr std::size_t kMiddle = 2048;
    std::vector<double> values(length);
    for (std::size_t odd = 0; odd < 2; ++odd) {
        std::vector<float> impulse(2 * kMiddle);
        impulse[kMiddle - odd] = 1;
        SoxrStream halving(2, 1);
        std::vector<float> made;
        const auto keep = [&](std::span<const float> some) { made.insert(made.end(), some.begin(), some.end()); };
        keep(halving.push(impulse));
        keep(halving.finish());
        for (std::size_t i = odd; i < length; i += 2) values[i] = static_cast<double>(made.at((kMiddle + i - odd) / 2));
    }
    return values;
}

}  // namespace

struct Decimator::Tables {
    std::vector<Lanes> gain;         // of every bin, in the order in which SplitFft gives them
    kissfft<Lanes> row_fft;          // back to the signal, as SplitFft's steps in reverse order
    std::vector<ComplexLanes> turn;  // exp(2 pi i row column / (kLength / 2))
    kissfft<Lanes> column_fft;

    Tables() : row_fft(kHalf, true), column_fft(kRows, true) {
        const std::vector<double> values = response(kReach + 1);
        std::vector<double> cosine(kLength);
        for (std::size_t i = 0; i < kLength; ++i)
            cosine[i] = std::cos(2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(kLength));
        // The response is symmetrical, so its spectrum is real.
        const auto gain_of = [&](std::size_t bin) {
            double sum = values[0];
            for (std::size_t i = 1; i <= kReach; ++i) sum += 2 * values[i] * cosine[i * bin % kLength];
            return static_cast<float>(sum / static_cast<double>(kLength));
        };
        for (std::size_t row = 0; row < kRows; row += kLanes) {
            for (std::size_t column = 0; column < kColumns; ++column) {
                Lanes gains;
                for (std::size_t lane = 0; lane < kLanes; ++lane) gains.set(lane, gain_of(row + lane + kRows * column));
                gain.push_back(gains);
            }
            for (std::size_t column = 0; column < kHalf; ++column)
                turn.push_back(std::conj(turns(row, column, kLength / 2)));
        }
    }
};

Decimator::Decimator()
    : tables_(shared_table<Tables>()),
      fft_(kLength),
      buffer_(kAdvance + kLength),
      bins_(kRows),
      work_(kLength / 2 / kLanes) {}

std::span<const float> Decimator::push(std::span<const float> input) {
    made_ += output_.size();
    output_.clear();
    samples_ += input.size();
    while (!input.empty()) {
        const std::size_t n = std::min(input.size(), buffer_.size() - filled_);
        std::copy_n(input.begin(), n, buffer_.begin() + static_cast<std::ptrdiff_t>(filled_));
        filled_ += n;
        input = input.subspan(n);
        if (filled_ == buffer_.size()) filter_blocks();
    }
    return output_;
}

std::span<const float> Decimator::finish() {
    made_ += output_.size();
    output_.clear();
    const std::size_t rest = (samples_ + 1) / 2 - made_;
    while (output_.size() < rest) {
        std::fill(buffer_.begin() + static_cast<std::ptrdiff_t>(filled_), buffer_.end(), 0.0F);
        filter_blocks();
    }
    return std::span(output_).first(rest);
}

void Decimator::filter_blocks() {
    const auto load = [this](std::size_t i) {
        return ComplexLanes(Lanes::load(&buffer_[i]), Lanes::load(&buffer_[kAdvance + i]));
    };
    fft_.forward(load, [this](std::size_t row, const ComplexLanes* bins) {
        // Half the rate: bins that are half the transform apart become one.
        const Lanes* gain = &tables_.gain[row / kLanes * kColumns];
        for (std::size_t k = 0; k < kHalf; ++k) bins_[k] = bins[k] * gain[k] + bins[k + kHalf] * gain[k + kHalf];
        ComplexLanes* turned = &work_[row / kLanes * kHalf];
        tables_.row_fft.transform(bins_.data(), turned);
        const ComplexLanes* turn = &tables_.turn[row / kLanes * kHalf];
        for (std::size_t i = 0; i < kHalf; ++i) turned[i] *= turn[i];
    });

    constexpr std::size_t kBlockOutput = kAdvance / 2;
    const std::size_t made = output_.size();
    output_.resize(made + 2 * kBlockOutput);
    std::array<ComplexLanes, kRows> in, out;
    for (std::size_t column = 0; column < kHalf; column += kLanes) {
        for (std::size_t row = 0; row < kRows; row += kLanes) {
            std::array<Lanes, kLanes> re, im;
            for (std::size_t i = 0; i < kLanes; ++i) {
                const ComplexLanes& z = work_[row / kLanes * kHalf + column + i];
                re[i] = z.real();
                im[i] = z.imag();
            }
            transpose(re);
            transpose(im);
            for (std::size_t i = 0; i < kLanes; ++i) in[row + i] = {re[i], im[i]};
        }
        tables_.column_fft.transform(in.data(), out.data());
        for (std::size_t row = 0; row < kRows; ++row) {
            const std::size_t at = row * kHalf + column;
            if (at < kReach / 2 || at >= kReach / 2 + kBlockOutput) continue;
            float* to = &output_[made + at - kReach / 2];
            out[row].real().store(to);
            out[row].imag().store(to + kBlockOutput);
        }
    }
    std::copy(buffer_.begin() + 2 * kAdvance, buffer_.end(), buffer_.begin());
    filled_ = filled_ > 2 * kAdvance ? filled_ - 2 * kAdvance : 0;
}

}  // namespace auralis

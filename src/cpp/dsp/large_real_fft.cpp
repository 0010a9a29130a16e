#include "dsp/large_real_fft.h"

#include <bit>

namespace auralis {

namespace {

std::size_t row_count(std::size_t half) {
    return std::size_t{1} << ((std::bit_width(half) - 1 + 1) / 2);  // about the square root, rounded up
}

}  // namespace

LargeRealFft::LargeRealFft(std::size_t n)
    : half_(n / 2),
      rows_(row_count(half_)),
      columns_(half_ / rows_),
      column_fft_(rows_, false),
      row_fft_(columns_, false),
      turn_(half_ / kLanes),
      work_(half_ / kLanes),
      in_(rows_),
      out_(rows_),
      re_(half_),
      im_(half_),
      cos_(half_ + 1),
      sin_(half_ + 1) {
    for (std::size_t column = 0; column < columns_; ++column) {
        for (std::size_t row = 0; row < rows_; ++row) {
            const double angle =
                -2 * std::numbers::pi * static_cast<double>(row * column % half_) / static_cast<double>(half_);
            ComplexLanes& to = turn_[column / kLanes * rows_ + row];
            Lanes re = to.real(), im = to.imag();
            re.set(column % kLanes, static_cast<float>(std::cos(angle)));
            im.set(column % kLanes, static_cast<float>(std::sin(angle)));
            to = {re, im};
        }
    }
    for (std::size_t k = 0; k <= half_; ++k) {
        const double angle = -std::numbers::pi * static_cast<double>(k) / static_cast<double>(half_);
        cos_[k] = static_cast<float>(std::cos(angle));
        sin_[k] = static_cast<float>(std::sin(angle));
    }
}

void LargeRealFft::transform_columns(const float* in, const float* window) {
    // z[row * columns + column]; lane = column.
    for (std::size_t column = 0; column < columns_; column += kLanes) {
        for (std::size_t row = 0; row < rows_; ++row) {
            const std::size_t i = 2 * (row * columns_ + column);
            const Lanes first = Lanes::load(in + i) * Lanes::load(window + i);
            const Lanes second = Lanes::load(in + i + kLanes) * Lanes::load(window + i + kLanes);
            in_[row] = {every_second<0>(first, second), every_second<1>(first, second)};
        }
        ComplexLanes* out = &work_[column / kLanes * rows_];
        column_fft_.transform(in_.data(), out);
        const ComplexLanes* turn = &turn_[column / kLanes * rows_];
        for (std::size_t row = 0; row < rows_; ++row) out[row] *= turn[row];
    }
}

void LargeRealFft::transform_rows() {
    for (std::size_t row = 0; row < rows_; row += kLanes) {
        for (std::size_t column = 0; column < columns_; column += kLanes) {
            const ComplexLanes* block = &work_[column / kLanes * rows_ + row];
            std::array<Lanes, kLanes> re, im;
            for (std::size_t i = 0; i < kLanes; ++i) {
                re[i] = block[i].real();
                im[i] = block[i].imag();
            }
            transpose(re);
            transpose(im);
            for (std::size_t i = 0; i < kLanes; ++i) in_[column + i] = {re[i], im[i]};
        }
        row_fft_.transform(in_.data(), out_.data());
        for (std::size_t k = 0; k < columns_; ++k) {  // Z[row + rows * k]; lane = row
            out_[k].real().store(&re_[row + rows_ * k]);
            out_[k].imag().store(&im_[row + rows_ * k]);
        }
    }
}

void LargeRealFft::power(const float* in, const float* window, float* power) {
    transform_columns(in, window);
    transform_rows();
    // X[k] = E + W^k O as in RealFft, lane = k.
    const float dc = re_[0] + im_[0];
    const float nyquist = re_[0] - im_[0];
    power[0] = dc * dc;
    power[half_] = nyquist * nyquist;
    const auto split = [&](Lanes a_re, Lanes a_im, Lanes b_re, Lanes b_im, Lanes w_re, Lanes w_im) {
        const Lanes odd_re = a_im + b_im;
        const Lanes odd_im = b_re - a_re;
        const Lanes re = a_re + b_re + odd_re * w_re - odd_im * w_im;
        const Lanes im = a_im - b_im + odd_re * w_im + odd_im * w_re;
        return 0.25F * (re * re + im * im);
    };
    std::size_t k = 1;
    for (; k + kLanes <= half_; k += kLanes) {
        const std::size_t mirror = half_ - k - (kLanes - 1);
        split(Lanes::load(&re_[k]), Lanes::load(&im_[k]), reverse(Lanes::load(&re_[mirror])),
              reverse(Lanes::load(&im_[mirror])), Lanes::load(&cos_[k]), Lanes::load(&sin_[k]))
            .store(&power[k]);
    }
    for (; k < half_; ++k) power[k] = split(re_[k], im_[k], re_[half_ - k], im_[half_ - k], cos_[k], sin_[k])[0];
}

}  // namespace auralis

#include "dsp/large_real_fft.h"

#include <bit>

namespace auralis {

namespace {

// The square root of a power of two, rounded up to one.
std::size_t row_count(std::size_t half) { return std::size_t{1} << (std::bit_width(half) / 2); }

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
      stride_(rows_ + kLanes),
      re_(columns_ * stride_),
      im_(columns_ * stride_),
      cos_(half_ / 2 + 1),
      sin_(half_ / 2 + 1) {
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
    for (std::size_t k = 0; k < cos_.size(); ++k) {
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
            out_[k].real().store(&re_[row + stride_ * k]);
            out_[k].imag().store(&im_[row + stride_ * k]);
        }
    }
    for (std::size_t chunk = 0; chunk < columns_; ++chunk) {
        const std::size_t next = (chunk + 1) % columns_ * stride_;
        re_[chunk * stride_ + rows_] = re_[next];
        im_[chunk * stride_ + rows_] = im_[next];
    }
}

void LargeRealFft::power(const float* in, const float* window, float* power) {
    transform_columns(in, window);
    transform_rows();
    const float dc = re_[0] + im_[0];
    const float nyquist = re_[0] - im_[0];
    power[0] = dc * dc;
    power[half_] = nyquist * nyquist;
    // |X[k]| = |E + W^k O| and |X[n/2 - k]| = |E - W^k O| as in RealFft; lane = k.
    for (std::size_t chunk = 0; chunk < columns_ / 2; ++chunk) {
        const std::size_t mirror_chunk = (columns_ - 1 - chunk) * stride_;
        for (std::size_t row = 1; row < rows_; row += kLanes) {
            const std::size_t k = chunk * rows_ + row;
            const std::size_t at = chunk * stride_ + row;
            const std::size_t mirror = mirror_chunk + rows_ - row - (kLanes - 1);
            const Lanes a_re = Lanes::load(&re_[at]);
            const Lanes a_im = Lanes::load(&im_[at]);
            const Lanes b_re = reverse(Lanes::load(&re_[mirror]));
            const Lanes b_im = reverse(Lanes::load(&im_[mirror]));
            const Lanes w_re = Lanes::load(&cos_[k]);
            const Lanes w_im = Lanes::load(&sin_[k]);
            const Lanes even_re = 0.5F * (a_re + b_re);
            const Lanes even_im = 0.5F * (a_im - b_im);
            const Lanes odd_re = 0.5F * (a_im + b_im);
            const Lanes odd_im = 0.5F * (b_re - a_re);
            const Lanes turned_re = odd_re * w_re - odd_im * w_im;
            const Lanes turned_im = odd_re * w_im + odd_im * w_re;
            const auto squared = [](Lanes re, Lanes im) { return re * re + im * im; };
            squared(even_re + turned_re, even_im + turned_im).store(&power[k]);
            reverse(squared(even_re - turned_re, even_im - turned_im)).store(&power[half_ - k - (kLanes - 1)]);
        }
    }
}

}  // namespace auralis

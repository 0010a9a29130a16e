#pragma once

#include <pybind11/pybind11.h>

namespace auralis {

// Adds the vector kernels and the inner results of features as functions on NumPy arrays, so that tests can
// compare each with its plain twin.
void bind_testing(pybind11::module_ module);

}  // namespace auralis

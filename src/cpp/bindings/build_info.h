#pragma once

#include <pybind11/pybind11.h>

namespace auralis {

// CPU level, compiler and library versions of this module, as a dict.
pybind11::dict build_info();

}  // namespace auralis

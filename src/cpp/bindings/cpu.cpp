// Which of the compiled cores this machine can run. Built for the plainest CPU of its architecture.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <vector>

namespace {

bool supports(const std::string& level) {
#if defined(__x86_64__)
    // The instruction sets of the x86-64 psABI's levels that compilers use.
    const bool v2 = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
    if (level == "x86-64-v2") return v2;
    if (level == "x86-64-v3")
        return v2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
#endif
    return level == "baseline";
}

std::vector<std::string> built_levels() { return {AURALIS_CPU_LEVELS}; }

}  // namespace

PYBIND11_MODULE(_cpu, m, pybind11::mod_gil_not_used()) {
    m.doc() = "CPU levels of the compiled cores.";
    m.def("supports", supports, pybind11::arg("level"), "Whether this machine runs code built for a level.");
    m.def("built_levels", built_levels, "Levels that this installation has a core for.");
}

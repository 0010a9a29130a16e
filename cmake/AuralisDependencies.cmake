# System libraries: FFmpeg's three, soxr, zlib, and KissFFT's header. Defines the target auralis_libraries.

set(auralis_install_hint "install it with: apt-get install libavformat-dev libavcodec-dev libavutil-dev libsoxr-dev libkissfft-dev zlib1g-dev pkg-config")

find_package(PkgConfig QUIET)
if(NOT PkgConfig_FOUND)
  message(FATAL_ERROR "pkg-config is missing; ${auralis_install_hint}")
endif()

add_library(auralis_libraries INTERFACE)

# FFmpeg 5.1, the first release with the channel layout interface used here: libavformat 59.27.
foreach(requirement "libavformat>=59.27" "libavcodec>=59.37" "libavutil>=57.28" "soxr>=0.1.1")
  string(REGEX MATCH "^[a-z]+" library "${requirement}")
  pkg_check_modules(${library} QUIET IMPORTED_TARGET "${requirement}")
  if(NOT ${library}_FOUND)
    message(FATAL_ERROR "${requirement} is missing; ${auralis_install_hint}")
  endif()
  target_link_libraries(auralis_libraries INTERFACE PkgConfig::${library})
endforeach()

find_package(ZLIB)
if(NOT ZLIB_FOUND)
  message(FATAL_ERROR "zlib is missing; ${auralis_install_hint}")
endif()
target_link_libraries(auralis_libraries INTERFACE ZLIB::ZLIB)

# KissFFT is used through its header-only C++ template; where the system does not have it, it is fetched.
find_path(KISSFFT_INCLUDE_DIR kissfft.hh PATH_SUFFIXES kissfft)
if(NOT KISSFFT_INCLUDE_DIR)
  include(FetchContent)
  FetchContent_Declare(
    kissfft
    GIT_REPOSITORY https://github.com/mborgerding/kissfft.git
    GIT_TAG 131.1.0
    SOURCE_SUBDIR header-only # no such folder: nothing of it is built
  )
  FetchContent_MakeAvailable(kissfft)
  set(KISSFFT_INCLUDE_DIR "${kissfft_SOURCE_DIR}")
endif()
if(NOT EXISTS "${KISSFFT_INCLUDE_DIR}/kissfft.hh")
  message(FATAL_ERROR "KissFFT (kissfft.hh) is missing; ${auralis_install_hint}")
endif()
target_include_directories(auralis_libraries SYSTEM INTERFACE "${KISSFFT_INCLUDE_DIR}")

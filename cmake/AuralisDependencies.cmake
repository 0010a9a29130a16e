# Libraries: FFmpeg's three, soxr, zlib, and KissFFT's header. Defines the target auralis_libraries
# and, where the libraries are installed with the package, AURALIS_INSTALL_RPATH.

set(auralis_install_hint "install it with: apt-get install libavformat-dev libavcodec-dev libavutil-dev libsoxr-dev libkissfft-dev zlib1g-dev pkg-config")

add_library(auralis_libraries INTERFACE)

# FFmpeg and soxr: the system's, or those that packaging/build-libraries makes, which are then installed with the package.
# By the environment, so that it is the same for pip, cmake and scripts, and not kept in a build folder.
set(AURALIS_BUNDLED_FFMPEG "$ENV{AURALIS_FP_BUNDLED_FFMPEG}")
if(AURALIS_BUNDLED_FFMPEG)
  set(AURALIS_BUNDLE "${PROJECT_SOURCE_DIR}/build/bundle" CACHE PATH "Where the libraries are built")
  message(STATUS "FFmpeg and soxr: building them in ${AURALIS_BUNDLE}, or using those from before")
  execute_process(
    COMMAND "${CMAKE_COMMAND}" -E env "CMAKE=${CMAKE_COMMAND}" "${PROJECT_SOURCE_DIR}/packaging/build-libraries"
            "${AURALIS_BUNDLE}" RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "FFmpeg and soxr could not be built, see above")
  endif()
  target_include_directories(auralis_libraries SYSTEM INTERFACE "${AURALIS_BUNDLE}/include")
  foreach(library IN ITEMS avformat avcodec avutil soxr)
    target_link_libraries(auralis_libraries INTERFACE "${AURALIS_BUNDLE}/lib/lib${library}-auralis${CMAKE_SHARED_LIBRARY_SUFFIX}")
  endforeach()
  set(KISSFFT_INCLUDE_DIR "${AURALIS_BUNDLE}/include")
  target_compile_definitions(auralis_libraries INTERFACE AURALIS_BUNDLED)
  set(AURALIS_INSTALL_RPATH "$ORIGIN/../../auralis_fp.libs")
  if(APPLE)
    set(AURALIS_INSTALL_RPATH "@loader_path/../../auralis_fp.libs")
  endif()
else()
  find_package(PkgConfig QUIET)
  if(NOT PkgConfig_FOUND)
    message(FATAL_ERROR "pkg-config is missing; ${auralis_install_hint}")
  endif()
  # FFmpeg 5.1, the first release with the channel layout interface used here: libavformat 59.27.
  foreach(requirement "libavformat>=59.27" "libavcodec>=59.37" "libavutil>=57.28" "soxr>=0.1.1")
    string(REGEX MATCH "^[a-z]+" library "${requirement}")
    pkg_check_modules(${library} QUIET IMPORTED_TARGET "${requirement}")
    if(NOT ${library}_FOUND)
      message(FATAL_ERROR "${requirement} is missing; ${auralis_install_hint}")
    endif()
    target_link_libraries(auralis_libraries INTERFACE PkgConfig::${library})
  endforeach()
  find_path(KISSFFT_INCLUDE_DIR kissfft.hh PATH_SUFFIXES kissfft)
endif()

find_package(ZLIB)
if(NOT ZLIB_FOUND)
  message(FATAL_ERROR "zlib is missing; ${auralis_install_hint}")
endif()
target_link_libraries(auralis_libraries INTERFACE ZLIB::ZLIB)

# Of KissFFT, only the C++ template is used, which is a header.
if(NOT EXISTS "${KISSFFT_INCLUDE_DIR}/kissfft.hh")
  message(FATAL_ERROR "KissFFT (kissfft.hh) is missing; ${auralis_install_hint}")
endif()
target_include_directories(auralis_libraries SYSTEM INTERFACE "${KISSFFT_INCLUDE_DIR}")

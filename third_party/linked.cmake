# What a program that links the static library needs at link time. The build reads this file, and so does the installed
# package's liven-config.cmake: one list for both.
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(Threads REQUIRED)
find_package(OpenCV 4.5 REQUIRED COMPONENTS core imgproc imgcodecs videoio photo objdetect dnn)

# FFmpeg's libraries read videos. Debian has no CMake package for them; two look-ups for each do.
if(NOT TARGET libav::libav)
  add_library(libav::libav INTERFACE IMPORTED)
  foreach(library avformat avcodec swscale avutil)
    find_path(LIVEN_${library}_INCLUDE lib${library}/${library}.h REQUIRED)
    find_library(LIVEN_${library}_LIBRARY ${library} REQUIRED)
    mark_as_advanced(LIVEN_${library}_INCLUDE LIVEN_${library}_LIBRARY)
    target_link_libraries(libav::libav INTERFACE ${LIVEN_${library}_LIBRARY})
    target_include_directories(libav::libav SYSTEM INTERFACE ${LIVEN_${library}_INCLUDE})
  endforeach()
endif()

# Optional: compressed npz files.
find_package(ZLIB QUIET)

# Optional: data sets in HDF5. CMake's own module asks for a C compiler and runs h5cc; two look-ups do.
if(NOT TARGET hdf5::hdf5)
  find_path(LIVEN_HDF5_INCLUDE hdf5.h PATH_SUFFIXES hdf5/serial)
  find_library(LIVEN_HDF5_LIBRARY NAMES hdf5_serial hdf5)
  mark_as_advanced(LIVEN_HDF5_INCLUDE LIVEN_HDF5_LIBRARY)
  if(LIVEN_HDF5_INCLUDE AND LIVEN_HDF5_LIBRARY)
    add_library(hdf5::hdf5 UNKNOWN IMPORTED)
    set_target_properties(hdf5::hdf5 PROPERTIES
      IMPORTED_LOCATION "${LIVEN_HDF5_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${LIVEN_HDF5_INCLUDE}")
  endif()
endif()

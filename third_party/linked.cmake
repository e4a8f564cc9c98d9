# What a program that links the static library needs at link time. The build reads this file, and so does the installed
# package's liven-config.cmake: one list for both.
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(Threads REQUIRED)
find_package(OpenCV 4.5 REQUIRED COMPONENTS core imgproc imgcodecs videoio photo objdetect dnn)

# Optional: compressed npz files.
find_package(ZLIB QUIET)

# Optional: Keras weights, data sets in HDF5. CMake's own module asks for a C compiler and runs h5cc; two look-ups do.
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

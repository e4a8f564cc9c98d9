# Everything Liven takes from outside, all of it Debian packages (packages.txt says which). Nothing is downloaded here.
include(${CMAKE_CURRENT_LIST_DIR}/linked.cmake)

# Header-only: compiled in, nothing left to link.
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(xsimd 8 REQUIRED)
find_package(nlohmann_json 3.10 REQUIRED)
find_package(CLI11 2 REQUIRED)
find_package(fmt 9 REQUIRED)  # linked as fmt::fmt-header-only
find_path(LIVEN_TOML_INCLUDE toml++/toml.h REQUIRED)
mark_as_advanced(LIVEN_TOML_INCLUDE)

set(LIVEN_WITH_HDF5 0)
if(TARGET hdf5::hdf5)
  set(LIVEN_WITH_HDF5 1)
endif()
set(LIVEN_WITH_ZLIB 0)
if(TARGET ZLIB::ZLIB)
  set(LIVEN_WITH_ZLIB 1)
endif()

# "HDF5 (data sets): found" for each optional part, once a configure run.
function(liven_report_part name present package)
  if(present)
    message(STATUS "Optional: ${name}: found")
  else()
    message(STATUS "Optional: ${name}: absent, goes without (Debian package ${package})")
  endif()
endfunction()
liven_report_part("HDF5 (data sets)" ${LIVEN_WITH_HDF5} libhdf5-dev)
liven_report_part("zlib (compressed npz)" ${LIVEN_WITH_ZLIB} zlib1g-dev)

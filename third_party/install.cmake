# `cmake --install`: headers, the static library, the program, and the package that find_package(liven) reads.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/liven)

install(DIRECTORY include/liven DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.hpp)
install(TARGETS liven EXPORT liven ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET liven_cli)
  install(TARGETS liven_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

install(EXPORT liven NAMESPACE liven:: DESTINATION ${package_dir} FILE liven-targets.cmake)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/liven-config.cmake.in liven-config.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(liven-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/liven-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/liven-config-version.cmake
  ${CMAKE_CURRENT_LIST_DIR}/linked.cmake DESTINATION ${package_dir})

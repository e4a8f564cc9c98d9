# cmake -D build=... -D source=... -D work=... -D generator=... -D compiler=... -P run.cmake: installs Liven into an empty
# folder, then configures, builds and runs the outside project against it.
cmake_minimum_required(VERSION 3.25)
function(must)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status COMMAND_ECHO STDOUT)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "failed: ${ARGN}")
  endif()
endfunction()

file(REMOVE_RECURSE ${work})
must(${CMAKE_COMMAND} --install ${build} --prefix ${work}/prefix)
must(${CMAKE_COMMAND} -S ${source} -B ${work}/build -G ${generator} -D CMAKE_PREFIX_PATH=${work}/prefix
  -D CMAKE_CXX_COMPILER=${compiler} -D CMAKE_BUILD_TYPE=Release)
must(${CMAKE_COMMAND} --build ${work}/build)
must(${work}/build/outside ${work}/build)
if(EXISTS ${work}/prefix/bin/liven)
  must(${work}/prefix/bin/liven version)
endif()

# The Python module, by nanobind; installed beside hea_potential/engine/__init__.py.
execute_process(
  COMMAND ${Python_EXECUTABLE} -m nanobind --cmake_dir
  OUTPUT_STRIP_TRAILING_WHITESPACE OUTPUT_VARIABLE nanobind_ROOT COMMAND_ERROR_IS_FATAL ANY)
find_package(nanobind CONFIG REQUIRED)
nanobind_add_module(_engine NB_STATIC NOMINSIZE hea_potential/engine/bindings.cpp)
target_link_libraries(_engine PRIVATE hea_engine hea_warnings)
if(HEA_IN_PLACE)
  set_target_properties(_engine PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_SOURCE_DIR}/hea_potential/engine)
endif()
install(TARGETS _engine LIBRARY DESTINATION hea_potential/engine)

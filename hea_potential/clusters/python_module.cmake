# The Python module, by nanobind (found by engine/python_module.cmake); installed beside hea_potential/clusters/__init__.py.
set(dir hea_potential/clusters)
nanobind_add_module(_clusters NB_STATIC NOMINSIZE ${dir}/bindings.cpp ${dir}/bindings_fingerprint.cpp ${dir}/bindings_moves.cpp
                    ${dir}/bindings_orderings.cpp ${dir}/bindings_stream.cpp ${dir}/arrays.cpp)
target_link_libraries(_clusters PRIVATE hea_clusters hea_warnings)
if(HEA_IN_PLACE)
  set_target_properties(_clusters PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_SOURCE_DIR}/hea_potential/clusters)
endif()
install(TARGETS _clusters LIBRARY DESTINATION hea_potential/clusters)

# What `cmake --install` puts where: headers, both libraries with their CMake package and pkg-config
# file, the command, the manual.
include(CMakePackageConfigHelpers)
set(vts_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/vtstatus)

install(DIRECTORY include/vtstatus DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        COMPONENT dev FILES_MATCHING PATTERN "*.h")
install(TARGETS vtstatus EXPORT vtstatus-shared
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT lib NAMELINK_COMPONENT dev)
install(TARGETS vtstatus_static EXPORT vtstatus-static
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT dev)
install(TARGETS vts_vtstatus RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT cli)

# Two exports: who links the shared library needs none of what the static one stands on.
foreach(kind shared static)
  install(EXPORT vtstatus-${kind} NAMESPACE vtstatus:: DESTINATION ${vts_cmake_dir}
          COMPONENT dev)
endforeach()
configure_package_config_file(cmake/vtstatusConfig.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/vtstatusConfig.cmake INSTALL_DESTINATION ${vts_cmake_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/vtstatusConfigVersion.cmake
  VERSION ${PROJECT_VERSION} COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/vtstatusConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/vtstatusConfigVersion.cmake
        DESTINATION ${vts_cmake_dir} COMPONENT dev)

# The file finds its prefix from where it lies, so that the tree can be moved.
file(RELATIVE_PATH vts_pc_to_prefix
     /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" vts_pc_to_prefix "${vts_pc_to_prefix}")
configure_file(cmake/vtstatus.pc.in ${CMAKE_CURRENT_BINARY_DIR}/vtstatus.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/vtstatus.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT dev)

set(vts_man_dir ${PROJECT_SOURCE_DIR}/docs/man)
install(FILES ${vts_man_dir}/vtstatus.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT cli)
install(FILES ${vts_man_dir}/libvtstatus.3 ${vts_man_dir}/vts_call_json.3
              ${vts_man_dir}/vts_create_job.3
              ${vts_man_dir}/vts_get_status.3 ${vts_man_dir}/vts_lease_job.3
              ${vts_man_dir}/vts_poll_status.3 ${vts_man_dir}/vts_wait.3
              ${vts_man_dir}/vts_watch_status.3
        DESTINATION ${CMAKE_INSTALL_MANDIR}/man3 COMPONENT dev)

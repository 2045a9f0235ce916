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

# The command itself knows what can be completed, where it can be run.
if(NOT CMAKE_CROSSCOMPILING OR CMAKE_CROSSCOMPILING_EMULATOR)
  set(vts_completion_dir ${CMAKE_CURRENT_BINARY_DIR}/completion)
  set(vts_completion_files)
  foreach(shell bash zsh fish)
    add_custom_command(OUTPUT ${vts_completion_dir}/${shell}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${vts_completion_dir}
      COMMAND vts_vtstatus completion ${shell} > ${vts_completion_dir}/${shell}
      DEPENDS vts_vtstatus VERBATIM)
    list(APPEND vts_completion_files ${vts_completion_dir}/${shell})
  endforeach()
  add_custom_target(vts_completions ALL DEPENDS ${vts_completion_files})
  install(FILES ${vts_completion_dir}/bash RENAME vtstatus COMPONENT cli
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${vts_completion_dir}/zsh RENAME _vtstatus COMPONENT cli
          DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  install(FILES ${vts_completion_dir}/fish RENAME vtstatus.fish COMPONENT cli
          DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()

set(vts_man_dir ${PROJECT_SOURCE_DIR}/docs/man)
install(FILES ${vts_man_dir}/vtstatus.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT cli)
install(FILES ${vts_man_dir}/libvtstatus.3
              ${vts_man_dir}/vts_call_json.3
              ${vts_man_dir}/vts_create_job.3
              ${vts_man_dir}/vts_get_status.3
              ${vts_man_dir}/vts_job.3
              ${vts_man_dir}/vts_lease_job.3
              ${vts_man_dir}/vts_poll_status.3
              ${vts_man_dir}/vts_status.3
              ${vts_man_dir}/vts_wait.3
        DESTINATION ${CMAKE_INSTALL_MANDIR}/man3 COMPONENT dev)

# What `cmake --install` lays down: headers, libraries, pkg-config, CMake package, manual, documents, completion, program (tools/jangbu).
include(CMakePackageConfigHelpers)
install(TARGETS jangbu_shared jangbu_static jangbu_json_shared jangbu_json_static LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
foreach(layer core projections replay tools/json)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${layer}/include/jangbu DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
endforeach()
# From where a file lies to the prefix: an installed tree can be moved.
file(RELATIVE_PATH JB_PC_TO_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${PROJECT_SOURCE_DIR}/tools/cmake/jangbu.pc.in jangbu.pc @ONLY)
configure_file(${PROJECT_SOURCE_DIR}/tools/cmake/jangbu-json.pc.in jangbu-json.pc @ONLY)
file(RELATIVE_PATH JB_CONFIG_TO_PREFIX /${CMAKE_INSTALL_LIBDIR}/cmake/jangbu /)
configure_file(${PROJECT_SOURCE_DIR}/tools/cmake/jangbuConfig.cmake.in jangbuConfig.cmake @ONLY)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/jangbuConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/jangbu.pc ${PROJECT_BINARY_DIR}/jangbu-json.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES ${PROJECT_BINARY_DIR}/jangbuConfig.cmake ${PROJECT_BINARY_DIR}/jangbuConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/jangbu)
install(FILES ${PROJECT_SOURCE_DIR}/tools/completion/jangbu.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME jangbu)
install(FILES ${PROJECT_SOURCE_DIR}/tools/completion/_jangbu DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md")
install(FILES ${PROJECT_SOURCE_DIR}/docs/jangbu.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
if(JANGBU_GATEWAY)
  install(FILES ${PROJECT_SOURCE_DIR}/tools/completion/jangbud.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME jangbud)
  install(FILES ${PROJECT_SOURCE_DIR}/tools/completion/_jangbud DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  install(FILES ${PROJECT_SOURCE_DIR}/tools/monitoring/jangbud.rules.yml ${PROJECT_SOURCE_DIR}/tools/monitoring/prometheus.yml
          DESTINATION ${CMAKE_INSTALL_DATADIR}/jangbud/monitoring)
  install(FILES ${PROJECT_SOURCE_DIR}/docs/jangbud.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
endif()
if(JANGBU_FEED)
  install(FILES ${PROJECT_SOURCE_DIR}/docs/jangbu-feed.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endif()
# A page for each function, of the headers' comments; without Python there are none.
find_program(JANGBU_PYTHON python3 PATHS /usr/bin)
if(JANGBU_PYTHON AND PROJECT_IS_TOP_LEVEL)
  file(GLOB JB_HEADERS CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/*/include/jangbu/*.h ${PROJECT_SOURCE_DIR}/tools/json/include/jangbu/*.h)
  add_custom_command(OUTPUT man3.made
    COMMAND ${JANGBU_PYTHON} ${PROJECT_SOURCE_DIR}/tools/man3 ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/man3 >man3.made
    DEPENDS ${PROJECT_SOURCE_DIR}/tools/man3 ${JB_HEADERS} VERBATIM)
  add_custom_target(man3 ALL DEPENDS man3.made)
  install(DIRECTORY ${PROJECT_BINARY_DIR}/man3 DESTINATION ${CMAKE_INSTALL_MANDIR} OPTIONAL)
endif()
add_custom_target(uninstall
  COMMAND ${CMAKE_COMMAND} -DMANIFEST=${PROJECT_BINARY_DIR}/install_manifest.txt -P ${PROJECT_SOURCE_DIR}/tools/cmake/uninstall.cmake VERBATIM)

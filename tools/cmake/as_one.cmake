# JANGBU_CAN_AS_ONE: whether layers that were compiled with -flto can be made into one object, by JANGBU_AS_ONE_FLAGS. That takes gcc with
# its linker plugin, so it is tried; objcopy, and no sanitizer.
set(JANGBU_AS_ONE_FLAGS -r -flto=2 -flinker-output=nolto-rel)

# Whether the compiler does that with one line of C.
function(jb_try_as_one ret)
  set(there ${CMAKE_BINARY_DIR}/CMakeFiles/as_one)
  separate_arguments(flags NATIVE_COMMAND "${CMAKE_C_FLAGS}")
  file(WRITE ${there}/one.c "int one;\n")
  set(step WORKING_DIRECTORY ${there} RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
  execute_process(COMMAND ${CMAKE_C_COMPILER} ${flags} -flto -ffat-lto-objects -c one.c -o one.o ${step})
  if(NOT failed)
    execute_process(COMMAND ${CMAKE_C_COMPILER} ${flags} ${JANGBU_AS_ONE_FLAGS} -o all.o one.o ${step})
  endif()
  if(failed)
    set(${ret} OFF PARENT_SCOPE)
  else()
    set(${ret} ON PARENT_SCOPE)
  endif()
endfunction()

# Who compiles everything so, tools and all, gets no more by it, and his objects could not be linked without it.
set(JANGBU_CAN_AS_ONE OFF)
if(CMAKE_C_COMPILER_ID STREQUAL GNU AND CMAKE_OBJCOPY AND NOT JANGBU_SANITIZE AND NOT CMAKE_INTERPROCEDURAL_OPTIMIZATION
   AND NOT "${CMAKE_C_FLAGS} ${CMAKE_C_FLAGS_${JANGBU_BUILD}}" MATCHES "-flto")
  jb_try_as_one(JANGBU_CAN_AS_ONE)
endif()

# Read by CMake inside llama.cpp's project (CMAKE_PROJECT_llama.cpp_INCLUDE), after
# llama-cpp-python has switched the "common" library on by force. The Python package never loads
# it, and without it 78 of 139 steps remain.
set(LLAMA_BUILD_COMMON OFF CACHE BOOL "not needed by the Python package" FORCE)

#!/bin/sh
# Installs into a temporary prefix and builds the gateway example against it from outside: once by pkg-config, once by CMake.
# usage: consume.sh SOURCE_DIR BUILD_DIR
set -eu
source=$1
build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/prefix with space" >/dev/null
prefix="$work/prefix with space"
pc=$(dirname "$(find "$prefix" -name jangbu.pc)")
lib=$(dirname "$pc")

PKG_CONFIG_PATH=$pc pkg-config --modversion jangbu
cp "$source/tests/consumer/gateway.c" "$work/gateway.c"
eval "cc -std=c17 -Wall -Wextra -o '$work/by-pkg-config' '$work/gateway.c' $(PKG_CONFIG_PATH=$pc pkg-config --cflags --libs jangbu) -lpthread"
LD_LIBRARY_PATH=$lib "$work/by-pkg-config" "$work/ledger1"

mkdir "$work/outside"
cat >"$work/outside/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(outside C)
find_package(jangbu 0.1 REQUIRED)
find_package(Threads REQUIRED)
add_executable(gateway ../gateway.c)
target_link_libraries(gateway PRIVATE jangbu::jangbu Threads::Threads)
CMAKE
cmake -S "$work/outside" -B "$work/outside/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
cmake --build "$work/outside/build" >/dev/null
"$work/outside/build/gateway" "$work/ledger2"
echo "both consumers built and ran"

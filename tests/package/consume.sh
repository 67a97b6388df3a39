#!/bin/sh
# Installs into a temporary prefix and builds against it from outside: the gateway example by pkg-config and by CMake, and a C++ program with the static library.
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

# The same in JSON: by pkg-config, and the static library from C++.
cp "$source/tests/consumer/words.c" "$work/words.c"
eval "cc -std=c17 -Wall -Wextra -o '$work/words' '$work/words.c' $(PKG_CONFIG_PATH=$pc pkg-config --cflags --libs jangbu-json) -Wl,-rpath-link,'$lib'"
LD_LIBRARY_PATH=$lib "$work/words" "$work/ledger5"

# The headers are C++, too, without a warning; the static library links.
cat >"$work/consumer.cpp" <<'CXX'
#include <jangbu/json.h>
#include <jangbu/ledger.h>
#include <jangbu/projections.h>
#include <jangbu/replay.h>
int main(int, char **argv)
{
    jb_error err;
    jb_ledger *l = nullptr;
    if (jb_init(argv[1], nullptr, &err) != JB_OK || jb_open(argv[1], nullptr, &l, &err) != JB_OK) {
        return 1;
    }
    jb_command c;
    jb_ledger_stat stat = JB_SIZED(jb_ledger_stat);
    bool has_events = jb_ledger_stat_get(l, &stat, &err) == JB_OK && stat.events > 0;
    jb_command_begin(&c, JB_OP_WALLET_CREATE);
    jb_set_wallet(&c, jb_text_of("W"));
    jb_set_kind(&c, JB_KIND_BUSINESS);
    jb_set_name(&c, jb_text_of("n"));
    jb_answers *answers = jb_answers_new();
    bool ok = has_events && jb_submit(l, &c, 1, nullptr, answers, nullptr, &err) == JB_OK && jb_answers_at(answers, 0)->outcome == JB_DONE;
    const jb_answer *a = jb_answers_at(answers, 0);
    const jb_event *e = jb_answer_event(a);
    size_t figures = 1;
    ok = ok && e != nullptr && e->type == JB_EV_WALLET_CREATED && jb_answer_message(a)[0] == 0 &&
         jb_answer_figures(a, &figures) == nullptr && figures == 0 && jb_answer_members(a) == 0 &&
         jb_answer_member_at(a, 0) == nullptr && jb_answer_balance(a) == nullptr;
    jb_answers_free(answers);
    jb_views *views = nullptr;
    jb_as_of then = {};
    then.kind = JB_AS_OF_SEQ;
    then.seq = stat.events + 1;
    jb_wallet_balance b = JB_SIZED(jb_wallet_balance);
    ok = ok && jb_views_open(l, &views, &err) == JB_OK && jb_balance_get(views, jb_text_of("W"), &then, &b, &err) == JB_OK && b.balance.total == 0;
    jb_views_close(views);
    jb_close(l);
    return ok ? 0 : 1;
}
CXX
eval "g++ -std=c++11 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -o '$work/cxx' '$work/consumer.cpp' $(PKG_CONFIG_PATH=$pc pkg-config --cflags jangbu) \
    '$(find "$prefix" -name libjangbu.a)' $(PKG_CONFIG_PATH=$pc pkg-config --static --libs-only-l jangbu | sed 's/-ljangbu//')"
"$work/cxx" "$work/ledger3"
# So does the program of docs/library.md.
eval "g++ -std=c++11 -x c++ -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -o '$work/gateway-cxx' '$work/gateway.c' \
    $(PKG_CONFIG_PATH=$pc pkg-config --cflags --libs jangbu) -lpthread"
LD_LIBRARY_PATH=$lib "$work/gateway-cxx" "$work/ledger5" >/dev/null

mkdir "$work/outside"
cat >"$work/outside/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(outside C)
find_package(jangbu 0.2 REQUIRED)
find_package(Threads REQUIRED)
add_executable(gateway ../gateway.c)
target_link_libraries(gateway PRIVATE jangbu::jangbu Threads::Threads)
add_executable(gateway_static ../gateway.c)
target_link_libraries(gateway_static PRIVATE jangbu::jangbu_static)
add_executable(words ../words.c)
target_link_libraries(words PRIVATE jangbu::json)
add_executable(words_static ../words.c)
target_link_libraries(words_static PRIVATE jangbu::json_static)
CMAKE
cmake -S "$work/outside" -B "$work/outside/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
cmake --build "$work/outside/build" >/dev/null
"$work/outside/build/gateway" "$work/ledger2"
"$work/outside/build/gateway_static" "$work/ledger4"
"$work/outside/build/words" "$work/ledger6"
"$work/outside/build/words_static" "$work/ledger7"
echo "eight consumers built and ran"

# All of it can be taken away again.
"$prefix/bin/jangbu" --version >/dev/null
test -f "$prefix/share/doc/jangbu/vocabulary.md" # the help names it
test -f "$prefix/share/bash-completion/completions/jangbu"
cmake --build "$build" --target uninstall >/dev/null
test -z "$(find "$prefix" -type f)"

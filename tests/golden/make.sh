#!/bin/sh
# Makes a golden ledger: the log as this version writes it, and its events as this version prints them. The commands are FOLDER/commands.jsonl. Run
# once for each set of rules or versions of events, never again for one that was released: it is the proof that old logs stay readable, and that
# what was decided stands. v1: rules 1, every type in version 1, made before the rules had a number. v2: rules 2.
# usage: make.sh JANGBU FOLDER
set -eu
jangbu=$1
folder=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$jangbu" init "$work/l" --offset -03:30 >/dev/null
"$jangbu" apply "$work/l" "$folder/commands.jsonl" --clock=at >/dev/null || [ $? -eq 1 ]
mdb_copy -n -c "$work/l/log.mdb" "$folder/log.mdb"
cp "$work/l/secret" "$folder/secret"
"$jangbu" log "$work/l" --json >"$folder/events.jsonl"
"$jangbu" balance "$work/l" --all --json --as-of "$(wc -l <"$folder/events.jsonl")" >"$folder/balances.jsonl"

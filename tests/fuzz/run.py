#!/usr/bin/python3
"""Runs a fuzzer for a while over a copy of its corpus and says how far it got: it fails where the fuzzer found something, and where it reached fewer
branches than it must, so that a fuzzer that sees nothing of the library is not taken for one that finds nothing.

usage: run.py FUZZER CORPUS FLOOR MAX_LEN ARTIFACTS [SECONDS]"""
import os
import re
import subprocess
import sys
import tempfile


def main():
    fuzzer, corpus, floor, max_len, artifacts = sys.argv[1:6]
    seconds = sys.argv[6] if len(sys.argv) > 6 else "10"
    name = os.path.basename(fuzzer)
    with tempfile.TemporaryDirectory() as found:
        out = subprocess.run([fuzzer, "-seed=1", "-max_total_time=" + seconds, "-max_len=" + max_len, "-error_exitcode=1", "-timeout=20", "-rss_limit_mb=4096",
                              "-artifact_prefix=%s/%s-" % (artifacts, name), "-print_final_stats=1", found, corpus], capture_output=True, text=True, errors="replace")
    reached = [int(n) for n in re.findall(r"\bcov: (\d+)", out.stderr)]
    known = re.search(r"Loaded \d+ PC tables \((\d+) PCs\)", out.stderr)
    runs = re.search(r"stat::number_of_executed_units: (\d+)", out.stderr)
    print("%s: %s runs, %d of %s branches reached, at least %s are wanted" % (
        name, runs[1] if runs else "?", max(reached, default=0), known[1] if known else "?", floor))
    if out.returncode != 0:
        print(out.stderr[-6000:])
        return 1
    return 0 if max(reached, default=0) >= int(floor) else 1


if __name__ == "__main__":
    sys.exit(main())

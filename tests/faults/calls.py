#!/usr/bin/python3
"""The n-th write, then the n-th sync, fails with EIO or ENOSPC, for every n of a small run: the program says so and ends with 3, or went on without
harm; nothing is half-done, and the same file applied again settles it.

usage: calls.py JANGBU SHIM"""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import commands, figures, preload, results, run  # noqa: E402

ERRNOS = {"EIO": 5, "ENOSPC": 28}


def main():
    jangbu, shim = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    lines = commands(60)
    feed = "\n".join(lines) + "\n"
    rounds = failed_clean = harmless = 0
    with tempfile.TemporaryDirectory() as work:
        ledger, count = os.path.join(work, "l"), os.path.join(work, "count")
        run(jangbu, "init", ledger)
        out = run(jangbu, "apply", ledger, "--clock=at", feed=feed)
        whole = results(out.stdout), figures(jangbu, ledger)
        for call in ("write", "sync"):
            subprocess.run(["rm", "-rf", ledger], check=True)
            run(jangbu, "init", ledger)
            run(jangbu, "apply", ledger, "--clock=at", feed=feed, env={**preload(shim, work), "JB_SHIM_CALL": call, "JB_SHIM_COUNT": count})
            calls = int(open(count).read())
            for name, number in ERRNOS.items():
                for n in range(1, calls + 1):
                    subprocess.run(["rm", "-rf", ledger], check=True)
                    run(jangbu, "init", ledger)
                    env = {**preload(shim, work), "JB_SHIM_CALL": call, "JB_SHIM_FAIL": str(n), "JB_SHIM_ERRNO": str(number)}
                    out = run(jangbu, "apply", ledger, "--clock=at", feed=feed, env=env)
                    what = f"{call} {n} fails with {name}"
                    assert out.returncode in (0, 1, 3), f"{what}: exit {out.returncode}: {out.stderr}"
                    if out.returncode == 3:
                        assert out.stderr.startswith("jangbu: "), f"{what}: {out.stderr!r}"
                        failed_clean += 1
                    else:
                        harmless += 1
                    for key, result in results(out.stdout).items():
                        if result.get("outcome") != "UNKNOWN":
                            assert whole[0][key] == result, f"{what}: {result}"
                    again = run(jangbu, "apply", ledger, "--clock=at", feed=feed)
                    assert results(again.stdout) == whole[0], f"{what}: the second run ends otherwise: {again.stderr}"
                    assert figures(jangbu, ledger) == whole[1], f"{what}: other figures"
                    audit = json.loads(run(jangbu, "audit", ledger, "--json").stdout)
                    assert audit["verdict"] == "verified", f"{what}: {audit}"
                    rounds += 1
    print(f"{rounds} rounds: {failed_clean} ended with a clear error, {harmless} went on; every one settled by the second run")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
"""The service of jangbud: systemd accepts the unit, and its exposure is at most 1.5 of 10.

usage: unit.py SOURCE_DIR"""
import os
import re
import shutil
import subprocess
import sys

MOST = 1.5


def main():
    unit = os.path.join(sys.argv[1], "tools/systemd/jangbud.service")
    if shutil.which("systemd-analyze") is None:
        print("skipped: no systemd-analyze")
        return 77
    out = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", unit], capture_output=True, text=True)
    said = re.search(r"Overall exposure level for \S+: ([0-9.]+)", out.stdout)
    if said is None:
        print("skipped: " + (out.stderr or out.stdout)[-300:])
        return 77
    unknown = [line for line in out.stderr.splitlines() if "Unknown" in line or "Failed to parse" in line]
    with open(unit, encoding="utf-8") as f:
        text = f.read()
    # What would break it: other users of the socket, and jangbu beside it, are known by their ids.
    unknown += [f"{word} is on" for word in ("PrivateUsers", "PrivatePIDs") if re.search(rf"^{word}=(yes|true|1)", text, re.M)]
    print("\n".join([*unknown, f"exposure {said[1]}, at most {MOST}"]))
    return 1 if unknown or float(said[1]) > MOST else 0


if __name__ == "__main__":
    sys.exit(main())

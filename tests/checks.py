"""What a test has looked at: how much of it was as it should be. What was not is printed."""
import sys

checks = {"passed": 0, "failed": 0}


def check(name, ok, detail=""):
    checks["passed" if ok else "failed"] += 1
    if not ok:
        print(f"failed: {name}: {str(detail)[:900]}")


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)

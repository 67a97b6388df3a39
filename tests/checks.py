"""What a test has looked at: how much of it was as it should be. What was not is printed."""
import os
import sys

checks = {"passed": 0, "failed": 0}


def check(name, ok, detail=""):
    checks["passed" if ok else "failed"] += 1
    if not ok:
        print(f"failed: {name}: {str(detail)[:900]}")


def has_terminals():
    """Whether there can be pseudo-terminals; where not, it says what is left out."""
    try:
        for fd in os.openpty():
            os.close(fd)
    except OSError as error:
        print(f"skipped: no pseudo-terminal here, so nobody looks at what a terminal shows (/dev/pts is not mounted?): {error}")
        return False
    return True


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)

#!/usr/bin/python3
"""Lines of the documents have at most 100 characters. Tables, code and what has no blank to break at are as long as they are.

usage: check_lines.py SOURCE_DIR"""
import subprocess
import sys


def long_lines(path):
    fence = False
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f.read().split("\n"), 1):
            fence ^= line.startswith("```")
            free = fence or line.startswith(("|", "    ", "<!--")) or " " not in line.strip("- ")
            if len(line) > 100 and not free:
                yield number, len(line)


def main():
    source = sys.argv[1]
    files = subprocess.run(["git", "-C", source, "ls-files", "-z", "*.md"], capture_output=True, text=True, check=False).stdout.split("\0")[:-1]
    if not files:
        print("no files: this is no clone of the repository")
        return 77
    found = 0
    for name in files:
        for number, n in long_lines(f"{source}/{name}"):
            print(f"{name}:{number}: {n} characters")
            found += 1
    print(f"{len(files)} documents")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

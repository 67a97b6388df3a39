#!/usr/bin/python3
"""Makes the packages, has lintian look at them, unpacks them into a root of their own, and works from there: the README's tour, the
daemon, Python, and a program in C.

usage: debs.py SOURCE_DIR BUILD_DIR      a build that was configured with -DCMAKE_INSTALL_PREFIX=/usr"""
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

NEEDED = ("dpkg-deb", "dpkg-shlibdeps", "dpkg-gensymbols")


def run(*args, **kw):
    p = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, **kw)
    assert p.returncode == 0, f"{' '.join(args)[:300]}: {p.returncode}: {p.stdout[-3000:]}"
    return p.stdout


def tour(source):
    """The commands of the README's tour, both blocks."""
    with open(os.path.join(source, "README.md"), encoding="utf-8") as f:
        text = f.read()
    part = text[text.index("## A tour"):]
    part = part[:part.index("\n## ", 5)]
    lines = [line[4:] for line in part.splitlines() if line.startswith("    ") and not line.startswith("    export PATH")]
    assert len(lines) > 15, lines
    return "\n".join(lines) + "\n"


def serve(root, work, env):
    """The daemon, over its Unix socket."""
    daemon = subprocess.Popen([f"{root}/usr/bin/jangbud", "shop", "--listen", "none", "--log", "off"], cwd=work, env=env)
    try:
        until = time.monotonic() + 30
        while not os.path.exists(os.path.join(work, "shop.sock")) and time.monotonic() < until and daemon.poll() is None:
            time.sleep(0.05)
        answer = run("curl", "-s", "--unix-socket", "shop.sock", "http://x/v1/wallets/W1", cwd=work)
        assert '"wallet":"W1"' in answer.replace(" ", ""), answer
    finally:
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(30) == 0


def compile_and_run(source, root, work, env):
    libraries = os.path.dirname(glob.glob(f"{root}/usr/lib/*/libjangbu.so.*")[0])
    pkg = {**env, "PKG_CONFIG_PATH": libraries + "/pkgconfig"}
    flags = run("pkg-config", "--cflags", "--libs", "jangbu", env=pkg).split()
    run("cc", "-std=c17", "-Wall", "-Wextra", "-Werror", "-o", f"{work}/gateway", f"{source}/tests/consumer/gateway.c", *flags, "-lpthread")
    run(f"{work}/gateway", f"{work}/of-c", env=env)


def compare_container(source, packages):
    """The container installs what the two packages depend on."""
    with open(os.path.join(source, "tools/container/Containerfile"), encoding="utf-8") as f:
        installed = set(re.search(r"--no-install-recommends ([a-z0-9. +-]+)", f.read())[1].split())
    needed = set()
    for name in ("jangbu", "jangbud"):
        package = [p for p in packages if os.path.basename(p).startswith(name + "_")]
        needed |= set(re.findall(r"(lib[a-z0-9.+-]+) \(", run("dpkg-deb", "-f", package[0], "Depends"))) if package else set()
    assert installed == needed - {"libc6"}, (installed, needed)


def work_from(source, root, work):
    libraries = os.path.dirname(glob.glob(f"{root}/usr/lib/*/libjangbu.so.*")[0])
    env = {**os.environ, "PATH": f"{root}/usr/bin:{os.environ['PATH']}", "LD_LIBRARY_PATH": libraries,
           "PYTHONPATH": f"{root}/usr/lib/python3/dist-packages", "PYTHONDONTWRITEBYTECODE": "1"}
    print(run("sh", "-ec", tour(source), cwd=work, env=env)[-300:])
    run("/usr/bin/python3", "-c", "import jangbu\nwith jangbu.Ledger('shop') as l:\n    assert l.balance('W1').total > 0\n", cwd=work, env=env)
    compile_and_run(source, root, work, env)
    if os.path.exists(f"{root}/usr/bin/jangbud") and shutil.which("curl"):
        serve(root, work, env)
    assert len(glob.glob(f"{root}/usr/share/man/man3/jb_*.3.gz")) > 100
    for page in glob.glob(f"{root}/usr/share/man/man[18]/*.gz"):
        run("sh", "-c", f"zcat '{page}' | mandoc -T lint -W warning")


def main():
    source, build = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    missing = [p for p in NEEDED if shutil.which(p) is None]
    if missing:
        print("skipped: no " + ", ".join(missing))
        return 77
    with tempfile.TemporaryDirectory() as work:
        debs, root = os.path.join(work, "debs"), os.path.join(work, "root")
        print(run(os.path.join(source, "tools/packages-deb"), build, debs))
        packages = sorted(glob.glob(debs + "/*.deb"))
        assert {"libjangbu0", "libjangbu-json0", "libjangbu-dev", "jangbu", "python3-jangbu"} <= {os.path.basename(p).split("_")[0] for p in packages}
        if shutil.which("lintian"):
            print(run("lintian", "--allow-root", "--fail-on", "error,warning", "--pedantic", *packages))
        else:
            print("no lintian: not looked at by it")
        os.mkdir(root)
        for package in packages:
            run("dpkg-deb", "-x", package, root)
        of_jangbu = run("dpkg-deb", "-f", next(p for p in packages if "/jangbu_" in p), "Depends")
        assert re.search(r"\bliblmdb0\b.*", of_jangbu) and "libc6" in of_jangbu, of_jangbu
        compare_container(source, packages)
        work_from(source, root, work)
    return 0


if __name__ == "__main__":
    sys.exit(main())

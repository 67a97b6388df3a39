"""A device that fails for a moment, below the kernel: the ledger lies on ext4 over a loop device over nbdfuse, whose server (nbdkit) fails writes while a
file is there. The page cache then shows what no disk has. Needs nbdkit, nbdfuse and the right to mount."""
import os
import shutil
import subprocess
import threading

from common import Failure, Feeder, Skip, check_acknowledged, check_settled, events, fold, nap, stream
from power import command, unmount

ROWS = ("device errors",)
RUNS_MAX = 40


class Device:
    """A file that is a device of 64 MiB in the memory of nbdkit."""

    def __init__(self, work):
        self.work = work
        self.socket, self.failing, self.mount = (os.path.join(work, name) for name in ("socket", "failing", "nbd"))
        self.server = self.fuse = None

    def start(self, percent):
        for tool in ("nbdkit", "nbdfuse", "fusermount3", "mkfs.ext4"):
            if shutil.which(tool) is None:
                raise Skip("%s is not installed" % tool)
        os.mkdir(self.mount)
        self.server = subprocess.Popen(["nbdkit", "-f", "-U", self.socket, "--filter=error", "memory", "64M", "error=EIO",
                                        "error-pwrite-rate=%d%%" % percent, "error-file=%s" % self.failing], stderr=subprocess.DEVNULL)
        self.wait(lambda: os.path.exists(self.socket), "nbdkit")
        self.fuse = subprocess.Popen(["nbdfuse", self.mount, "--unix", self.socket], stderr=subprocess.DEVNULL)
        self.wait(lambda: os.path.exists(os.path.join(self.mount, "nbd")), "nbdfuse")
        return os.path.join(self.mount, "nbd")

    def wait(self, there, what):
        for _ in range(200):
            if there():
                return
            if self.server.poll() is not None or (self.fuse is not None and self.fuse.poll() is not None):
                break
            nap(0.02)
        raise Skip("%s does not run here" % what)

    def fail_for(self, before, seconds):
        nap(before)
        with open(self.failing, "w", encoding="ascii"):
            pass
        nap(seconds)
        os.unlink(self.failing)

    def stop(self):
        if self.fuse is not None:
            subprocess.run(["fusermount3", "-u", self.mount], capture_output=True)
            self.fuse.terminate()
            self.fuse.wait()
        if self.server is not None:
            self.server.terminate()
            self.server.wait()


def mount(image, place):
    command("mount", "-o", "loop,errors=remount-ro", image, place)


def mount_again(image, place):
    """As after a restart: what is in no page cache any more, and a file system that looked after itself."""
    unmount(place)
    subprocess.run(["fsck.ext4", "-fy", image], capture_output=True)
    mount(image, place)


def writable(place):
    probe = os.path.join(place, "probe")
    try:
        with open(probe, "wb") as f:
            f.write(b"x")
            os.fsync(f.fileno())
        os.unlink(probe)
        return True
    except OSError:
        return False


def run_through(bench, row, rng, device, image, place, ledger, lines):
    """Runs `apply` again until the device is well and everything is answered. The answers that counted, by key."""
    told = {}
    pulse = threading.Thread(target=device.fail_for, args=(0.02 + rng.random() * 0.15, 0.1 + rng.random() * 0.4))
    pulse.start()
    try:
        for _ in range(RUNS_MAX):
            p = Feeder(bench, ledger, lines, rng.choice((1, 2, 5)))
            mine = p.end(may_be_killed=False)
            row.add("acknowledged", len(mine.keys() - told.keys()))
            for key, result in mine.items():
                if told.setdefault(key, result) != result:
                    raise Failure("doubled", "key %s was answered %s and %s" % (key, told[key], result))
            if not pulse.is_alive() and p.code in (0, 1):
                return told
            nap(0.1)
            if not pulse.is_alive() and not writable(place):
                mount_again(image, place)  # ext4 has given up
    finally:
        pulse.join()
    raise Failure("other", "the device is well again, and apply still ends with %d: %s" % (p.code, p.errors[:500]))


def one_round(bench, row, rng, work):
    if os.geteuid() != 0:
        raise Skip("mounting needs root")
    place, device = os.path.join(work, "mnt"), Device(work)
    os.mkdir(place)
    mounted = False
    try:
        image = device.start(rng.choice((18, 20, 22, 24)))
        command("mkfs.ext4", "-q", "-F", image)
        mount(image, place)
        mounted = True
        ledger = os.path.join(place, "l")
        bench.run("init", ledger, check=True)
        os.sync()
        lines = stream(rng, rng.randrange(60, 200), "d")
        told = run_through(bench, row, rng, device, image, place, ledger, lines)
        check_acknowledged(fold(events(bench, ledger))[1], told)
        with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as f:
            f.write("3\n")
        check_acknowledged(fold(events(bench, ledger))[1], told)
        mount_again(image, place)
        check_settled(bench, ledger, lines, told)
    finally:
        if os.path.exists(device.failing):
            os.unlink(device.failing)
        if mounted:
            unmount(place)
        device.stop()

"""Power cuts: the ledger lies on ext4 over a loop device, FS_IOC_SHUTDOWN makes the file system forget what no sync has put on the device."""
import fcntl
import os
import struct
import subprocess

from common import Failure, Feeder, Skip, check_settled, nap, stream

ROWS = ("power cuts",)
SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32)
LOG_FLUSH, NO_LOG_FLUSH = 1, 2


def command(*args):
    out = subprocess.run(args, capture_output=True, text=True)
    if out.returncode != 0:
        raise Skip("%s: %s" % (args[0], out.stderr.strip()[-200:]))


def unmount(place):
    for _ in range(200):
        if subprocess.run(["umount", place], capture_output=True).returncode == 0:
            return
        nap(0.02)
    raise Failure("other", "%s cannot be unmounted" % place)


def cut(place, how):
    fd = os.open(place, os.O_RDONLY)
    try:
        fcntl.ioctl(fd, SHUTDOWN, struct.pack("I", how))
    except OSError as e:
        raise Skip("FS_IOC_SHUTDOWN: %s" % e) from None
    finally:
        os.close(fd)


def run_until_cut(bench, row, rng, place, ledger, lines, told):
    processes = [Feeder(bench, ledger, lines, rng.choice((1, 2, 5))) for _ in range(rng.choice((1, 1, 2, 3)))]
    try:
        nap(0.005 + rng.random() * 0.1)
        cut(place, rng.choice((NO_LOG_FLUSH, NO_LOG_FLUSH, LOG_FLUSH)))
        nap(0.01)
    finally:
        for p in processes:
            p.kill()
    for p in processes:
        mine = p.end(may_be_killed=True)
        row.add("acknowledged", len(mine))
        for key, result in mine.items():
            if told.setdefault(key, result) != result:
                raise Failure("doubled", "key %s was answered %s and %s" % (key, told[key], result))


def one_round(bench, row, rng, work):
    if os.geteuid() != 0:
        raise Skip("mounting needs root")
    image, place = os.path.join(work, "image"), os.path.join(work, "mnt")
    os.mkdir(place)
    with open(image, "wb") as f:
        f.truncate(48 << 20)
    command("mkfs.ext4", "-q", "-F", image)
    command("mount", "-o", "loop,data=ordered", image, place)
    mounted = True
    try:
        ledger, told, whole = os.path.join(place, "l"), {}, []
        bench.run("init", ledger, check=True)
        os.sync()
        for generation in range(2):
            lines = stream(rng, rng.randrange(20, 60), "r%d" % generation, create=generation == 0)
            whole += lines
            run_until_cut(bench, row, rng, place, ledger, lines, told)
            unmount(place)
            mounted = False
            command("mount", "-o", "loop,data=ordered", image, place)
            mounted = True
            check_settled(bench, ledger, whole, told)
    finally:
        if mounted:
            unmount(place)

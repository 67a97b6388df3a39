"""A process that has read the model answers for each pretend.py: a fork of it does, with the streams of who asks."""

import contextlib
import os
import select
import signal
import socket
import sys
import tempfile
import traceback


@contextlib.contextmanager
def server(main):
    """Yields what goes into the environment. `main` is pretend.py's: it reads sys.argv and returns an exit status."""
    with tempfile.TemporaryDirectory() as where, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        address = os.path.join(where, "asked")
        listening.bind(address)
        listening.listen(16)
        alive, keeps = os.pipe()  # ends with whoever made the server, however that ends
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            os.close(keeps)
            serve(main, listening, alive)
        os.close(alive)
        try:
            yield {"PRETEND_SERVER": address}
        finally:
            os.close(keeps)
            os.waitpid(pid, 0)


def serve(main, listening, alive):
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a fork ended but who asked it
    while listening in select.select([listening, alive], [], [])[0]:
        asked, _ = listening.accept()
        if os.fork() == 0:
            os.close(alive)
            answer(main, asked)
        asked.close()
    os._exit(0)


def answer(main, asked):
    words, streams, _, _ = socket.recv_fds(asked, 65536, 3)
    cwd, fault, *arguments = words.decode().split("\0")
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(cwd)
    os.environ["PRETEND_FAULT"] = fault
    sys.argv = ["pretend.py", *arguments]
    try:
        status = main()
    except SystemExit as ended:
        status = ended.code
    except BaseException:
        traceback.print_exc()
        status = 1
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    with contextlib.suppress(OSError):
        asked.send(bytes([int(status or 0)]))
    os._exit(0)

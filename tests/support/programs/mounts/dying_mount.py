"""Runs a command, and lets a mount over a folder die as soon as a database has a first result.

``unshare -rm python dying_mount.py FOLDER DATABASE COMMAND...``; its exit status is the command's. Without a
database (``-``), the mount is dead before the command begins.
"""

import contextlib
import ctypes
import os
import sqlite3
import subprocess
import sys
import time


def kill_the_mount(folder: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    server = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={server},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}".encode()
    if libc.mount(b"music", os.fsencode(folder), b"fuse", 0, options):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    os.close(server)  # nobody answers any more: ENOTCONN


def has_a_result(database: str) -> bool:
    with (
        contextlib.suppress(sqlite3.OperationalError),
        contextlib.closing(sqlite3.connect(database)) as known,
    ):
        return known.execute("SELECT id FROM track_fingerprints").fetchone() is not None
    return False


folder, database, *command = sys.argv[1:]
if database == "-":
    kill_the_mount(folder)
    sys.exit(subprocess.call(command))
process = subprocess.Popen(command)
while process.poll() is None and not has_a_result(database):
    time.sleep(0.01)
kill_the_mount(folder)
sys.exit(process.wait())

"""Prints each open descriptor of this process: number, kind of file, and whether it is non-blocking."""
import fcntl
import os
import stat
import sys

for fd in range(1024):
    try:
        mode = os.fstat(fd).st_mode
    except OSError:
        continue
    kind = 'pipe' if stat.S_ISFIFO(mode) else 'socket' if stat.S_ISSOCK(mode) else 'device' if stat.S_ISCHR(mode) else 'other'
    blocking = 'nonblocking' if fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK else 'blocking'
    print(fd, kind, blocking, file=sys.stderr if len(sys.argv) > 1 else sys.stdout)

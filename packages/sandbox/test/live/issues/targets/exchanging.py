"""Exchanges two directories without a pause, until standard input ends. Prints a line when it has begun."""
import ctypes, os, select, sys

libc = ctypes.CDLL(None, use_errno=True)
first, second = (os.fsencode(name) for name in sys.argv[1:])
AT_FDCWD, RENAME_EXCHANGE = -100, 2

def exchange():
    if libc.renameat2(AT_FDCWD, first, AT_FDCWD, second, RENAME_EXCHANGE) != 0:
        sys.exit(os.strerror(ctypes.get_errno()))

exchange()
print('begun', flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    for _ in range(200): exchange()

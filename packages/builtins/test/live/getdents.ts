/**
 * python3 that lists directories by the calls themselves: names, in the order they come, as os.listdir() spells them.
 *
 * getdents(fd, room, nr, at, cookies) -> names of one call, or the errno's name; everything(fd, room, nr) -> all of them.
 * GETDENTS is None where there is no such call.
 */
export const GETDENTS = `
import struct
buffer = ctypes.create_string_buffer(65536)
X86 = os.uname().machine == 'x86_64'
GETDENTS64, GETDENTS = (217, 78) if X86 else (61, None)
def getdents(fd, room=4096, nr=GETDENTS64, at=buffer, cookies=None):
    got = raw(nr, fd, at, room)
    if isinstance(got, str): return got
    names, i = [], 0
    while i < got:
        ino, off, length = struct.unpack_from('<QqH', buffer, i)
        start = i + (19 if nr == GETDENTS64 else 18)
        names.append(buffer.raw[start:buffer.raw.index(b'\\0', start)].decode('utf8', 'surrogateescape'))
        if cookies is not None: cookies.append(off)
        i += length
    return names
def everything(fd, room=4096, nr=GETDENTS64):
    names = []
    while True:
        some = getdents(fd, room, nr)
        if isinstance(some, str): return some
        if not some: return names
        names += some
`;

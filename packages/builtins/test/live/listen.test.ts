import { mayCallPidfdGetfd } from '@sandlock/sys';
import { afterEach, describe, expect, it } from 'vitest';

import { listen } from '../../src/index.js';
import { python } from './python.js';
import { endAll, hasPython } from './sandboxed.js';

afterEach(endAll);

const ways = [
  { copies: 'taken' as const, needs: 'python3, pidfd_getfd(2)', has: hasPython && mayCallPidfdGetfd() },
  { copies: 'kept' as const, needs: 'python3', has: hasPython },
];

for (const { copies, needs, has } of ways) describe.skipIf(!has)(`listening on copies that are ${copies} [needs ${needs}]`, () => {
  const onPorts = (...bindPorts: number[]) => () => [listen({ bindPorts, copies })];

  it('is for sockets that are bound to an allowed port; and connections arrive', async () => {
    expect(await python(onPorts(43117), `
a = socket.socket(); a.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); a.bind(('127.0.0.1', 43117))
b = socket.socket(); b.bind(('127.0.0.1', 43118))
c = socket.socket(socket.AF_INET6); c.bind(('::1', 43119))
result = [call(a.listen, 5), call(b.listen, 5), call(c.listen, 5), call(a.listen, 9)]
client = socket.create_connection(('127.0.0.1', 43117), 5); peer = a.accept()[0]; client.send(b'hi'); result.append(peer.recv(9).decode())
say(result)`)).toEqual(['ok', 'EACCES', 'EACCES', 'ok', 'hi']);
  });

  it('takes no port of the kernel\'s choice', async () => {
    const program = `
s = socket.socket(); t = socket.socket(socket.AF_INET6)
say([call(s.listen, 5), call(t.listen, 5), s.getsockname()[1], s.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)])`;
    expect(await python(onPorts(43117), program)).toEqual(['EACCES', 'EACCES', 0, 0]);
    expect(await python(onPorts(), program)).toEqual(['EACCES', 'EACCES', 0, 0]);
    expect(await python(onPorts(0), program)).toEqual(['ok', 'ok', expect.any(Number), 1]);
  });

  it('is free for unix sockets, and the kernel\'s to refuse elsewhere', async () => {
    expect(await python(onPorts(), `
# ENOTSUP is python's name for the number of EOPNOTSUPP.
u = socket.socket(socket.AF_UNIX); u.bind('\\0builtins-' + str(os.getpid()))
d = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
unbound = socket.socket(socket.AF_UNIX)
r, w = os.pipe()
result = [call(u.listen, 5), call(unbound.listen, 5), call(d.listen, 5)]
for fd in (r, 999, -1):
    ctypes.set_errno(0); libc.listen(fd, 5); result.append(errno.errorcode[ctypes.get_errno()])
say(result)`)).toEqual(['ok', 'EINVAL', copies === 'taken' ? 'ENOTSUP' : 'EACCES', 'ENOTSOCK', 'EBADF', 'EBADF']);
  });

  it('is refused where another socket has the port', async () => {
    expect(await python(onPorts(43121), `
def made():
    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('127.0.0.1', 43121)); return s
a, b = made(), made()
say([call(a.listen, 5), call(b.listen, 5)])`)).toEqual(['ok', 'EADDRINUSE']);
  });

  it('is not for a socket whose port came with a connection', async () => {
    expect(await python(onPorts(43122), `
a = socket.socket(); a.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); a.bind(('127.0.0.1', 43122)); a.listen(5)
c = socket.create_connection(('127.0.0.1', 43122), 5)
say([call(c.listen, 5)])`)).toEqual(['EACCES']);
  });
});

describe.skipIf(!hasPython)('sockets that the supervisor makes [needs python3]', () => {
  const onPorts = (...bindPorts: number[]) => () => [listen({ bindPorts, copies: 'kept' })];

  it('are what socket(2) makes', async () => {
    expect(await python(onPorts(43117), `
import fcntl
def made(family, type):
    s = socket.socket(family, type); fd = s.fileno()
    return [s.getsockopt(socket.SOL_SOCKET, o) for o in (39, 3, 38)] + [fcntl.fcntl(fd, fcntl.F_GETFD), fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK != 0]
i, u, st = socket.AF_INET, socket.AF_UNIX, socket.SOCK_STREAM
ctypes.set_errno(0); odd = libc.socket(u, st | 0x100000, 0), errno.errorcode[ctypes.get_errno()]
say([made(i, st), made(u, st | socket.SOCK_NONBLOCK), made(u, socket.SOCK_SEQPACKET), made(i, socket.SOCK_DGRAM), odd])`)).toEqual([
      [2, 1, 6, 1, false], [1, 1, 0, 1, true], [1, 5, 0, 1, false], [2, 2, 17, 1, false], [-1, 'EINVAL'],
    ]);
  });

  it('are not held open: a close ends the connection, and frees a bound port for the next one', async () => {
    expect(await python(onPorts(43123), `
a = socket.socket(); a.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); a.bind(('127.0.0.1', 43123)); a.listen(5)
c = socket.socket(); c.connect(('127.0.0.1', 43123)); peer = a.accept()[0]; peer.settimeout(5); c.close(); ended = peer.recv(1)
peer.close(); a.close()
b = socket.socket(); b.bind(('127.0.0.1', 43127)); b.close()
d = socket.socket()
say([ended.decode(), call(lambda _: d.bind(('127.0.0.1', 43127)), 0)])`)).toEqual(['', 'ok']);
  });

  it('listen in whatever process and under whatever number they are, and never another in their place', async () => {
    expect(await python(onPorts(43125), `
a = socket.socket(); a.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); a.bind(('127.0.0.1', 43125))
os.dup2(a.fileno(), 50)
r, w = os.pipe()
if os.fork() == 0:
    ctypes.set_errno(0); os.write(w, str(libc.listen(50, 5)).encode()); os._exit(0)
os.wait(); listened = os.read(r, 9).decode()
free = socket.socket(); os.dup2(free.fileno(), 50)
ctypes.set_errno(0); swapped = libc.listen(50, 5), errno.errorcode[ctypes.get_errno()]
say([listened, a.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN), swapped, free.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)])`))
      .toEqual(['0', 1, [-1, 'EACCES'], 0]);
  });
});

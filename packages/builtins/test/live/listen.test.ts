import { afterEach, describe, expect, it } from 'vitest';

import { listen } from '../../src/index.js';
import { python } from './python.js';
import { endAll, hasPython } from './sandboxed.js';

afterEach(endAll);

const available = listen({ bindPorts: [] }).reason() === undefined;
const onPorts = (...bindPorts: number[]) => () => [listen({ bindPorts })];


describe.skipIf(!hasPython || !available)('listening [needs python3, pidfd_getfd(2)]', () => {
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
say(result)`)).toEqual(['ok', 'EINVAL', 'ENOTSUP', 'ENOTSOCK', 'EBADF', 'EBADF']);
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

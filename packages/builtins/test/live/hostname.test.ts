import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';

import { hostname, ProcessTree, views, watchedFdBase } from '../../src/index.js';
import { python } from './python.js';
import { endAll, hasPython, Sandboxed } from './sandboxed.js';

afterEach(endAll);

function families(guardPid: () => number) {
  const name = hostname({ name: 'box-7' });
  const grants = { mayRead: () => true, mayWrite: () => true };
  const members = new ProcessTree(guardPid);
  return [name, views({ views: name.views, grants, members, watchedFdBase: watchedFdBase(1024), procGranted: true })];
}

async function output(...argv: string[]): Promise<string> {
  const { stdout } = await new Sandboxed(argv, families).done;
  return stdout;
}

describe('the host name [needs Linux 5.14]', () => {
  it('is what uname(1) and a shell see, and the rest is the kernel\'s', async () => {
    expect(await output('/bin/uname', '-n')).toBe('box-7\n');
    expect(await output('/bin/uname', '-r')).toBe(`${release()}\n`);
    expect(await output('/bin/bash', '-c', 'echo $HOSTNAME; (cd /etc && cat hostname ./hostname /etc/hostname); cat /etc/hosts')).toBe(
      `${'box-7\n'.repeat(4)}${readFileSync('/etc/hosts', 'utf8')}`);
  });

  it.skipIf(!hasPython)('cannot be written, and reads from the start each time [needs python3]', async () => {
    expect(await python(families, `
path = '/etc/hostname'
a, b = os.open(path, os.O_RDONLY), os.open(path, os.O_RDONLY)
say({
  'name': socket.gethostname(), 'nodename': os.uname().nodename,
  'reads': [os.read(a, 99).decode(), os.read(b, 99).decode(), os.read(a, 99).decode()],
  'inherited': os.get_inheritable(a),
  'write': call(os.open, path, os.O_WRONLY), 'create': call(os.open, path, os.O_CREAT | os.O_EXCL),
  'directory': call(os.open, path, os.O_DIRECTORY), 'through': call(os.write, a, b'x'),
  'other': call(os.open, '/etc/hostname.none', os.O_RDONLY),
  'bad': ctypes.CDLL(None, use_errno=True).uname(ctypes.c_void_p(8)),
})`)).toEqual({
      name: 'box-7', nodename: 'box-7', reads: ['box-7\n', 'box-7\n', ''], inherited: false,
      write: 'EACCES', create: 'EEXIST', directory: 'ENOTDIR', through: 'EBADF', other: 'ENOENT', bad: -1,
    });
  });
});

/** The listener: the program has none, and makes none. */
import { expect, it } from 'vitest';

import { Sandbox } from '../../../src/index.js';
import { allowProgram } from './bytes.js';
import { call, confined, describeConfined, said, unconfined, type Step } from './calls.js';

const SECCOMP_SET_MODE_FILTER = 1, SECCOMP_SET_MODE_STRICT = 0;
const NEW_LISTENER = 8, WAIT_KILLABLE_RECV = 32, TSYNC = 1, TSYNC_ESRCH = 16, LOG = 2;
const HIGH = 1n << 32n;

const system = ['/usr', '/etc', '/proc', ...['/lib', '/lib64', '/bin'].map((path) => ({ path, optional: true }))];

describeConfined('the listener', () => {
  it('is not among the descriptors of the program, nor of its children', async () => {
    const sandbox = new Sandbox({ fsReadable: system });
    for (const command of [['/bin/ls', '-l', '/proc/self/fd'], ['/bin/sh', '-c', '(ls -l /proc/self/fd)']]) {
      const { stdout, ok } = await sandbox.run(command, { input: '' });
      expect(ok).toBe(true);
      const links = [...String(stdout).matchAll(/ (\d+) -> (.*)$/gm)].map(([, fd, to]) => [Number(fd), to!] as const);
      expect(links.length).toBeGreaterThanOrEqual(4); // 0, 1, 2, and the folder that ls reads
      expect(links.filter(([fd]) => fd > 2).map(([, to]) => to)).toEqual([expect.stringMatching(/^\/proc\/\d+\/fd$/)]);
      expect(String(stdout)).not.toMatch(/anon_inode|memfd|socket/);
    }
  });

  it('cannot be joined by one of the program\'s own', async () => {
    const flags = [NEW_LISTENER, NEW_LISTENER | WAIT_KILLABLE_RECV, NEW_LISTENER | TSYNC | TSYNC_ESRCH, HIGH | BigInt(NEW_LISTENER)];
    const steps = flags.flatMap((flag): Step[] => [
      call('seccomp', SECCOMP_SET_MODE_FILTER, flag, allowProgram()), call('seccomp', HIGH | 1n, flag, allowProgram()),
    ]);
    expect(said(await confined(steps))).toEqual(steps.map(() => 'EBUSY'));
    // The kernel, which has one listener to a chain of filters, would look at the program first.
    const without = [call('seccomp', SECCOMP_SET_MODE_FILTER, NEW_LISTENER, 0)];
    expect(said(await confined(without))).toEqual(['EBUSY']);
    expect(said(unconfined(without))).toEqual(['EFAULT']);
  });

  it('leaves the program free to tighten its own filter', async () => {
    const PR_SET_NO_NEW_PRIVS = 38;
    expect(said(await confined([
      call('seccomp', SECCOMP_SET_MODE_FILTER, 0, allowProgram()), call('seccomp', SECCOMP_SET_MODE_FILTER, LOG, allowProgram()),
      call('seccomp', SECCOMP_SET_MODE_FILTER, TSYNC, allowProgram()), call('seccomp', SECCOMP_SET_MODE_STRICT, 1, 0),
    ]))).toEqual(['ok', 'ok', 'ok', 'EINVAL']);
    // Where there is no supervisor, one inside is what is meant to be.
    const own = [call('prctl', PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), call('seccomp', SECCOMP_SET_MODE_FILTER, NEW_LISTENER, allowProgram())];
    expect(said(await confined(own, { noSupervisor: true }))).toEqual(['ok', 'ok']);
    expect(said(unconfined(own))).toEqual(['ok', 'ok']);
  });
});

/** The signal at the death of a parent: what binds the program to its guard stays, what it gives to its own children is its own affair. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';

import { Sandbox, type SandboxOptions } from '../../../src/index.js';
import { describeConfined } from './calls.js';

const PYTHON = '/usr/bin/python3';

/** The errno of the program's own call, and of its grandchild's; then what the grandchild got when its parent ended. */
const SOURCE = `
import ctypes, os, signal
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True)
bind = lambda number: ctypes.get_errno() if libc.prctl(PR_SET_PDEATHSIG, number) else 0
said, tell = os.pipe()
own = bind(signal.SIGTERM)
if os.fork() == 0:
    ready, begin = os.pipe()
    if os.fork() == 0:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        errno = bind(signal.SIGTERM)
        os.write(begin, b'.')
        got = signal.sigtimedwait([signal.SIGTERM], 20) if errno == 0 else None
        os.write(tell, f'{errno} {got and got.si_signo}'.encode())
        os._exit(0)
    os.read(ready, 1)
    os._exit(0)
os.close(tell)
print(own, os.read(said, 100).decode())`;

const EPERM = 1;
const SIGTERM = 15;

describeConfined('the signal at the death of a parent', () => {
  const run = async (options: SandboxOptions = {}): Promise<string> => {
    const fsReadable = ['/usr', '/lib', '/bin', '/etc', ...(existsSync('/lib64') ? ['/lib64'] : [])];
    const result = await new Sandbox({ fsReadable, ...options }).run([PYTHON, '-c', SOURCE], { timeout: 60_000 });
    return `${result.text()}${String(result.stderr)}`.trim();
  };

  it.skipIf(!existsSync(PYTHON))('is kept by the program, and chosen by the processes below it [needs python3]', async () => {
    expect(await run()).toBe(`${EPERM} 0 ${SIGTERM}`);
    expect(spawnSync(PYTHON, ['-c', SOURCE], { encoding: 'utf8' }).stdout.trim()).toBe(`0 0 ${SIGTERM}`);
  });

  it.skipIf(!existsSync(PYTHON))('is chosen by nobody where no supervisor can tell them apart [needs python3]', async () => {
    expect(await run({ noSupervisor: true })).toBe(`${EPERM} ${EPERM} None`);
  });
});

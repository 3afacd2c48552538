/** System calls of another ABI, and those that no filter can judge. */
import { expect, it } from 'vitest';

import { Sandbox } from '../../../src/index.js';
import { arch, call, compiled, confined, describeConfined, granting, inContainer, said, script, step, unconfined } from './calls.js';

const X32 = 0x40000000;
const CLONE_THREAD_FLAGS = 0x00010000 | 0x00000800 | 0x00000100; // CLONE_THREAD, CLONE_SIGHAND, CLONE_VM

describeConfined('other ABIs', () => {
  it.skipIf(arch !== 'x86_64')('answer ENOSYS to every x32 call, and the native one works [needs x86_64]', async () => {
    const getpid = 39;
    const answers = await confined([
      call(getpid), call(getpid | X32), call(1 | X32, 1, 'x', 1), call(59 | X32), call(512 | X32), call(547 | X32), call(0x7fffffff),
      call(0x80000000), call(0xffffffff), call(getpid),
    ]);
    expect(said(answers)).toEqual(['ok', ...Array<string>(8).fill('ENOSYS'), 'ok']);
    expect(answers[0]!.result).toBeGreaterThan(0);
  });

  it.skipIf(arch !== 'x86_64')('end a program that makes an i386 call with SIGSYS [needs x86_64]', async () => {
    const steps = [call('getpid'), step('int80', 20), call('getpid')];
    const sandbox = new Sandbox(granting());
    const program = compiled('calls');
    const result = await sandbox.run([program], { input: script(steps), timeout: 20_000 });
    expect(result).toMatchObject({ signal: 'SIGSYS', reason: 'signaled' });
    expect(String(result.stdout).trimEnd().split('\n')).toHaveLength(1);
    expect(said(unconfined(steps))[0]).toBe('ok');
    expect((await sandbox.run([program], { input: script([call('getpid')]), timeout: 20_000 })).exitCode).toBe(0);
  });

  it('answer ENOSYS to clone3 whatever it says, and threads and processes still start', async () => {
    const cloneArgs = (flags: number): Buffer => {
      const bytes = Buffer.alloc(88);
      bytes.writeBigUInt64LE(BigInt(flags));
      return bytes;
    };
    const answers = await confined([
      call('clone3', cloneArgs(0x10000000 | 0x00020000), 88), call('clone3', cloneArgs(CLONE_THREAD_FLAGS), 88),
      call('clone3', cloneArgs(0), 88), call('clone3', 0, 0), step('thread'), step('sleeper'), call('kill', { step: 5 }, 9),
    ]);
    expect(said(answers)).toEqual(['ENOSYS', 'ENOSYS', 'ENOSYS', 'ENOSYS', 'ok', 'ok', 'ok']);
    expect(said(unconfined([call('clone3', 0, 0)]))).toEqual([inContainer ? 'ENOSYS' : 'EINVAL']); // a container's filter says the same
  });
});

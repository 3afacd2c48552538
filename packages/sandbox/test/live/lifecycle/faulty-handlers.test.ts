import { describe, expect, it } from 'vitest';

import { action, on, type Handler, type SupervisorReport } from '../../../src/index.js';
import { box } from './support.js';

const sandbox = box();
const uname = ['/bin/uname', '-n'];

async function reports(handle: Handler, options: { onException?: unknown; timeout?: number } = {}) {
  const { timeout, ...spec } = options;
  const child = await sandbox.popen(uname, { handlers: [on('uname', { handle, ...spec } as never)], ...(timeout ? { timeout } : {}) });
  const seen: SupervisorReport[] = [];
  child.on('report', (report) => void seen.push(report));
  const result = await child.wait();
  return { result, seen };
}

describe('a handler', () => {
  it('that answers is what the program sees', async () => {
    const { result } = await reports(() => action.errno('EPERM'));
    expect(result).toMatchObject({ exitCode: 1 });
  });

  it.each<[string, Handler]>([
    ['throws', () => { throw new Error('on purpose'); }],
    ['rejects', async () => Promise.reject(new Error('on purpose'))],
    ['throws nothing', () => { throw undefined as unknown as Error; }],
    ['returns nonsense', () => 42 as never],
    ['returns nothing', () => undefined as never],
    ['resolves with nonsense', async () => Promise.resolve({ kind: 'nonsense' } as never)],
    ['returns a thenable that throws', () => ({ then: () => { throw new Error('on purpose'); } }) as never],
  ])('that %s ends the program, by default', async (_, handle) => {
    const { result, seen } = await reports(handle);
    expect(result).toMatchObject({ exitCode: null, signal: 'SIGKILL', reason: 'killed' });
    expect(seen.length).toBeGreaterThan(0);
  });

  it('that throws ends the program before it can go on without the child that made the call', async () => {
    const handlers = [on('uname', () => { throw new Error('on purpose'); })];
    const run = () => sandbox.run(['/bin/sh', '-c', '/bin/uname -n; exit 0'], { handlers });
    const results = await Promise.all(Array.from({ length: 12 }, run));
    expect(results.map(({ reason }) => reason)).toEqual(Array(12).fill('killed'));
  });

  it('that throws can deny or continue instead', async () => {
    const fails: Handler = () => { throw new Error('on purpose'); };
    expect((await reports(fails, { onException: 'denyEperm' })).result).toMatchObject({ exitCode: 1 });
    expect((await reports(fails, { onException: 'continue' })).result).toMatchObject({ exitCode: 0 });
  });

  it('that never answers does not outlive a timeout', async () => {
    const { result } = await reports(() => new Promise(() => undefined), { timeout: 700 });
    expect(result).toMatchObject({ reason: 'timeout' });
  });

  it('that never answers does not outlive kill()', async () => {
    const child = await sandbox.spawn(uname, { handlers: [on('uname', () => new Promise(() => undefined))] });
    await child.kill();
    expect(await child.wait()).toMatchObject({ reason: 'killed' });
  });

  it('of execve must answer at once: a promise is a denial', async () => {
    await expect(sandbox.run(uname, { handlers: [on('execve', () => new Promise(() => undefined))] }))
      .rejects.toMatchObject({ code: 'ERR_SANDLOCK_EXEC', errno: -1 });
    expect(await sandbox.run(uname, { handlers: [on('execve', () => action.continue())] })).toMatchObject({ ok: true });
  });

  it('of execve that throws ends the program before it runs', async () => {
    const handlers = [on('execve', () => { throw new Error('on purpose'); })];
    const outcome: unknown = await sandbox.run(uname, { handlers }).catch((error: unknown) => error);
    expect(outcome).toMatchObject({ reason: 'killed', stdout: Buffer.alloc(0) });
  });

  it('that fails leaves the other runs of the process alone', async () => {
    const bad = reports(() => { throw new Error('on purpose'); });
    const good = Promise.all(Array.from({ length: 5 }, () => sandbox.run(uname)));
    expect((await bad).result.reason).toBe('killed');
    expect((await good).map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0, 0]);
  });
});

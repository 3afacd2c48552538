/** Handlers handed over with a call are disposed of once, also when no process came about. */
import { action, on } from '@sandlock/dispatch';
import { expect, it } from 'vitest';

import { Sandbox, type RunOptions, type SandboxOptions } from '../../../src/index.js';

it.each([['that cannot be spawned', 9999, 'ERR_SANDLOCK_SPAWN'], ['that runs', 2, undefined]])(
  'the handlers of a program %s are disposed of once', async (_, from, code) => {
    let disposed = 0;
    const handlers = [on('getppid', { handle: () => action.continue(), dispose() { disposed++; } })];
    const optional = ['/lib', '/lib64', '/bin'].map((path) => ({ path, optional: true }));
    const run = new Sandbox({ fsReadable: ['/usr', ...optional] })
      .popen(['true'], { handlers, fds: { 5: from }, stdout: 'ignore', stderr: 'ignore' })
      .then((child) => child.wait());
    if (code === undefined) expect((await run).exitCode).toBe(0);
    else await expect(run).rejects.toMatchObject({ code });
    await new Promise((resolve) => { setTimeout(resolve, 20); });
    expect(disposed).toBe(1);
  });

it.each<[string, SandboxOptions, RunOptions, string[], unknown]>([
  ['a command that is none', {}, {}, [''], 'ERR_SANDLOCK_CONFIG'],
  ['a run option that is none', {}, { timeout: -1 }, ['true'], 'ERR_SANDLOCK_CONFIG'],
  ['a signal that was aborted before', {}, { signal: AbortSignal.abort() }, ['true'], 20],
  ['a grant that is missing', { fsReadable: ['/does/not/exist'] }, {}, ['true'], 'ERR_SANDLOCK_CONFIG'],
  ['a GPU that is missing', { gpuDevices: [7777] }, {}, ['true'], 'ERR_SANDLOCK_CONFIG'],
  ['a name that is in use', { name: 'in-use' }, {}, ['true'], 'ERR_SANDLOCK_NAME_IN_USE'],
  ['a control group that is none', { cgroup: '/does/not/exist', maxMemory: '64M' }, {}, ['true'], 'ERR_SANDLOCK_CGROUP'],
  ['nobody to run them', { noSupervisor: true }, {}, ['true'], 'ERR_SANDLOCK_CONFIG'],
])('the handlers of a call with %s are disposed of once', async (_, options, run, command, code) => {
  const living = await new Sandbox({ fsReadable: ['/usr', ...['/lib', '/lib64', '/bin'].map((path) => ({ path, optional: true }))], name: 'in-use' })
    .popen(['cat']);
  let disposed = 0;
  const handlers = [on('getppid', { handle: () => action.continue(), dispose() { disposed++; } })];
  await expect(new Sandbox({ fsReadable: ['/usr'], ...options }).run(command, { ...run, handlers: [...handlers, ...handlers] })).rejects.toMatchObject({ code });
  await living.kill();
  await new Promise((resolve) => { setTimeout(resolve, 20); });
  expect(disposed).toBe(1);
});

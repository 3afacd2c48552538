/** Handlers handed over with a call are disposed of once, also when no process came about. */
import { action, on } from '@sandlock/dispatch';
import { expect, it } from 'vitest';

import { Sandbox } from '../../../src/index.js';

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

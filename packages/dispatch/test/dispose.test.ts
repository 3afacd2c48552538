import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';

import { disposeAll } from '../src/dispose.js';
import { action, DispatchTable, on } from '../src/index.js';
import { closeAll, supervised, until } from './supervised.js';

afterEach(closeAll);

function disposable(log: string[], name: string, fail?: unknown) {
  return {
    handle: () => action.continue(),
    dispose(): void {
      log.push(name);
      if (fail !== undefined) throw fail;
    },
  };
}

describe('a handler', () => {
  it('is held by nothing once its supervisor is closed and let go', async () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const ref = await (async () => {
      const handler = { handle: () => action.bytes('x'), dispose() { /* nothing to do */ } };
      const { listener, supervisor } = supervised([['openat', handler], ['uname', () => Promise.resolve(action.hold())]]);
      await listener.notify('openat').answered;
      listener.notify('uname');
      await until(() => supervisor.diagnostics().held.length === 1);
      await supervisor.close();
      await closeAll(); // the test's own list
      return new WeakRef(handler);
    })();
    await until(() => {
      gc();
      return ref.deref() === undefined;
    });
  });
});

describe('dispose', () => {
  it('is called once for an object that serves several calls, and with its object', async () => {
    const log: unknown[] = [];
    const shared = { handle: () => action.continue(), dispose() { log.push(this); } };
    const { supervisor, table } = supervised([['uname', shared], ['getpid', shared], ['uname', shared]]);
    await Promise.all([supervisor.close(), supervisor.close(), table.dispose()]);
    expect(log).toEqual([shared]);
  });

  it('is called for families and the handler objects in them', async () => {
    const log: string[] = [];
    const table = new DispatchTable({ arch: 'x86_64' }).family({
      name: 'f', handlers: { uname: disposable(log, 'handler'), getpid: { handler: disposable(log, 'entry') } },
      dispose: () => { log.push('family'); },
    });
    await table.dispose();
    expect(log.sort()).toEqual(['entry', 'family', 'handler']);
  });

  it('is called for handlers whose registration failed, and for those given with them', async () => {
    const log: string[] = [];
    const table = new DispatchTable({ arch: 'x86_64' });
    expect(() => table.addAll([on('uname', disposable(log, 'a')), on('nope', disposable(log, 'b'))])).toThrow();
    expect(() => table.addAll([
      on('uname', disposable(log, 'c')), { syscall: 'uname', handler: { dispose: () => { log.push('d'); } } as never },
    ])).toThrow();
    await table.dispose();
    expect(log).toEqual(['a', 'b', 'c', 'd']);
  });

  it('is called for handlers that were only taken, once, whatever else is in the list', async () => {
    const log: string[] = [];
    const table = new DispatchTable();
    const taken = disposable(log, 'taken');
    table.take([on('uname', taken), on('nonsense', taken), undefined, 5, { handler: null }] as never);
    expect(table.registrations()).toEqual([]);
    await table.dispose();
    expect(log).toEqual(['taken']);
  });

  it('goes on after one that throws or rejects, and reports all of them', async () => {
    const log: string[] = [];
    const first = new Error('first');
    const second = new Error('second');
    const table = new DispatchTable({ arch: 'x86_64' })
      .on('uname', disposable(log, 'a', first))
      .on('uname', { handle: () => action.continue(), dispose: () => Promise.reject(second) })
      .on('uname', disposable(log, 'c'));
    await expect(table.dispose()).rejects.toMatchObject({
      code: 'ERR_SANDLOCK_HANDLER_DISPOSE', errors: [first, second], cause: first,
    });
    expect(log).toEqual(['a', 'c']);
  });

  it('goes on after one that never settles', async () => {
    const log: string[] = [];
    const never = { dispose: () => new Promise<void>(() => undefined) };
    await expect(disposeAll([never, disposable(log, 'next')], 10)).rejects.toMatchObject({ code: 'ERR_SANDLOCK_HANDLER_DISPOSE' });
    expect(log).toEqual(['next']);
  });
});

import { close, pipe } from '@sandlock/sys';
import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';

import { action, DispatchTable, kernelListener, Supervisor } from '../src/index.js';

const { EBADF } = constants.errno;

describe('a listener that is on its way', () => {
  it('is nobody\'s descriptor, and answers nothing', () => {
    const listener = kernelListener();
    expect([listener.fd, listener.syncWakeUp]).toEqual([undefined, false]);
    expect(listener.send(1n, 0n, 0, 0)).toBe(-EBADF);
    expect(listener.idValid(1n)).toBe(-EBADF);
    expect(listener.addFd(1n, 0, 0, 0, 0)).toBe(-EBADF);
  });

  it('serves a supervisor that was made before it came, and belongs to it', async () => {
    const listener = kernelListener();
    const supervisor = new Supervisor({ listener, table: new DispatchTable().on('getpid', () => action.continue()) });
    const [readEnd, writeEnd] = pipe(); // no listener, but a descriptor
    listener.attach(readEnd);
    expect(listener.fd).toBe(readEnd);
    supervisor.start();
    await supervisor.close();
    expect(() => { close(readEnd); }).toThrow('EBADF');
    expect(listener.fd).toBeUndefined();
    close(writeEnd);
  });

  it('has one descriptor', () => {
    const [readEnd, writeEnd] = pipe();
    const listener = kernelListener();
    listener.attach(readEnd);
    expect(() => { listener.attach(writeEnd); }).toThrow(expect.objectContaining({ code: 'ERR_SANDLOCK_SUPERVISOR_STATE' }) as Error);
    listener.close();
    close(writeEnd);
  });

  it('that never comes is closed without one', async () => {
    const listener = kernelListener();
    const supervisor = new Supervisor({ listener, table: new DispatchTable() });
    await supervisor.close();
    const [readEnd, writeEnd] = pipe();
    expect(() => { listener.attach(readEnd); }).toThrow(expect.objectContaining({ code: 'ERR_SANDLOCK_SUPERVISOR_STATE' }) as Error);
    expect(listener.fd).toBeUndefined();
    [readEnd, writeEnd].forEach(close); // still ours
  });
});

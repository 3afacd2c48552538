/** UNIX sockets of processes outside: abstract names are out of reach, in both kinds. */
import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';

import { unixAddress } from './bytes.js';
import { call, confined, describeConfined, said, scratch, unconfined, type Step } from './calls.js';
import { Outsider } from './outsider.js';

const AF_UNIX = 1, SOCK_STREAM = 1, SOCK_DGRAM = 2, NONBLOCK = 0x800;

/** An outside socket under an abstract name, and how to ask it whether somebody came. */
async function outsideSocket(type: number): Promise<{ address: Buffer; came(): Promise<number>; end(): Promise<void> }> {
  const outsider = new Outsider();
  const address = unixAddress(randomUUID(), { abstract: true });
  await outsider.ask([
    call('socket', AF_UNIX, type | NONBLOCK, 0), call('bind', { step: 0 }, address, address.length),
    ...(type === SOCK_STREAM ? [call('listen', { step: 0 }, 8)] : []),
  ]);
  const look = type === SOCK_STREAM ? call('accept4', { step: 0 }, 0, 0, 0) : call('recvfrom', { step: 0 }, Buffer.alloc(16), 16, 0, 0, 0);
  const came = async (): Promise<number> => said(await outsider.ask([look, look, look, look])).filter((answer) => answer === 'ok').length;
  return { address, came, end: () => outsider.end() };
}

describeConfined('an abstract UNIX socket of a process outside', () => {
  it('takes no connection from inside', async () => {
    const { address, came, end } = await outsideSocket(SOCK_STREAM);
    const connect = [call('socket', AF_UNIX, SOCK_STREAM, 0), call('connect', { step: 0 }, address, address.length)];
    for (const options of [{ fsWritable: [scratch()] }, { netAllow: ['*:*'] }, { noSupervisor: true, fsWritable: [scratch()] }]) {
      expect(said(await confined(connect, options))).toEqual(['ok', 'EPERM']);
    }
    expect(said(await confined(connect))).toEqual(['ok', 'EACCES']); // refused before anybody looks where to
    expect(await came()).toBe(0);
    expect(said(await confined(connect, { fsWritable: [scratch()], disable: ['abstractUnixSocketScope'] }))).toEqual(['ok', 'ok']);
    expect(said(unconfined(connect))).toEqual(['ok', 'ok']);
    expect(await came()).toBe(2);
    await end();
  });

  it('takes no datagram from inside, with or without connect', async () => {
    const { address, came, end } = await outsideSocket(SOCK_DGRAM);
    const socket = call('socket', AF_UNIX, SOCK_DGRAM, 0);
    const ways: Step[][] = [
      [socket, call('sendto', { step: 0 }, 'data', 4, 0, address, address.length)],
      [socket, call('connect', { step: 0 }, address, address.length)],
    ];
    for (const steps of ways) {
      expect(said(await confined(steps, { fsWritable: [scratch()] }))).toEqual(['ok', 'EPERM']);
      expect(said(await confined(steps))[0]).toBe('EPERM');
    }
    expect(await came()).toBe(0);
    expect(said(unconfined(ways[0]!))).toEqual(['ok', 'ok']);
    expect(await came()).toBe(1);
    await end();
  });

  it('can be made and reached among processes inside', async () => {
    const own = unixAddress(randomUUID(), { abstract: true });
    const steps = [
      call('socket', AF_UNIX, SOCK_STREAM, 0), call('bind', { step: 0 }, own, own.length), call('listen', { step: 0 }, 1),
      call('socket', AF_UNIX, SOCK_STREAM, 0), call('connect', { step: 3 }, own, own.length),
    ];
    expect(said(await confined(steps, { fsWritable: [scratch()] }))).toEqual(Array(5).fill('ok'));
  });
});

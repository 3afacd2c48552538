/** TCP by port: connect and bind as granted, and no way around that. */
import { beforeEach, expect, it } from 'vitest';

import { Sandbox, type SandboxOptions } from '../../../src/index.js';
import { cString, loopback, message, unixAddress } from './bytes.js';
import {
  answers, call, compiled, confined, describeConfined, granting, inContainer, Memory, said, scratch, script,
  unconfined, type Step,
} from './calls.js';
import { Listener } from './loopback.js';

const AF_UNIX = 1, AF_INET = 2, SOCK_STREAM = 1;
const MSG_FASTOPEN = 0x20000000, MSG_NOSIGNAL = 0x4000;
const HIGH = 1n << 32n;

const tcp = call('socket', AF_INET, SOCK_STREAM, 0);
const connect = (port: number): Step => call('connect', { step: 0 }, loopback(port), 16);
const bind = (port: number): Step => call('bind', { step: 0 }, loopback(port), 16);
const listen = call('listen', { step: 0 }, 5);

/**
 * No TCP port to speak of. Where pidfd_getfd(2) is denied, options that name none mean no TCP sockets at all, which has a
 * test of its own; one port that nobody listens on keeps the ways past the rules in reach.
 */
const noPorts = (): SandboxOptions => (inContainer ? { netAllow: [`:${free}`] } : {});

let listener: Listener;
let free: number;
beforeEach(async () => {
  listener = await Listener.open();
  free = await (await Listener.open()).close();
});

/** What the steps said, and how many connections came in meanwhile. */
async function counted(steps: readonly Step[], options: SandboxOptions | 'unconfined'): Promise<[string[], number]> {
  const before = await listener.log();
  const all = said(options === 'unconfined' ? unconfined(steps) : await confined(steps, options));
  return [all, (await listener.log()).connections - before.connections];
}

describeConfined('connect(2)', () => {
  it('reaches a listed port', async () => {
    expect(await counted([tcp, connect(listener.port)], { netAllow: [`:${listener.port}`] })).toEqual([['ok', 'ok'], 1]);
    expect(await counted([tcp, connect(listener.port)], { netAllow: ['*:*'] })).toEqual([['ok', 'ok'], 1]);
    expect(await counted([tcp, connect(listener.port)], 'unconfined')).toEqual([['ok', 'ok'], 1]);
  });

  it('reaches no other, though somebody listens there', async () => {
    expect(await counted([tcp, connect(listener.port)], noPorts())).toEqual([['ok', 'EACCES'], 0]);
    expect(await counted([tcp, connect(listener.port)], { ...noPorts(), fsWritable: [scratch()] })).toEqual([['ok', 'EACCES'], 0]);
    expect(await counted([tcp, connect(listener.port)], { netAllow: [`:${free}`] })).toEqual([['ok', 'EACCES'], 0]);
    expect(await counted([tcp, connect(listener.port)], { netAllowBind: [listener.port] })).toEqual([['ok', 'EACCES'], 0]);
    expect(await counted([tcp, connect(listener.port)], { netAllow: [`:${free}`], noSupervisor: true, netAllowBind: ['*'] }))
      .toEqual([['ok', 'EACCES'], 0]);
  });

  it('says of a listed port that nobody listens there', async () => {
    expect(said(await confined([tcp, connect(free)], { netAllow: [`:${free}`] }))).toEqual(['ok', 'ECONNREFUSED']);
  });

  it('takes an address family of 0 for what the kernel takes it', async () => {
    const unspecified = Buffer.concat([Buffer.alloc(2), loopback(listener.port).subarray(2)]);
    const [, connections] = await counted([tcp, call('connect', { step: 0 }, unspecified, 16)], { netAllow: [`:${free}`] });
    expect(connections).toBe(0);
  });

  it('has no sockets to work with where the kernel cannot judge ports', async () => {
    expect(await counted([tcp, connect(listener.port)], { disable: ['netTcp'] })).toEqual([['EACCES', expect.any(String)], 0]);
    expect(() => new Sandbox({ disable: ['netTcp'], netAllow: [':443'] })).toThrow(expect.objectContaining({ code: 'ERR_SANDLOCK_CONFIG' }));
    expect(await counted([tcp, connect(listener.port)], { disable: ['netTcp'], netAllow: ['*:*'], netAllowBind: ['*'] }))
      .toEqual([['ok', 'ok'], 1]);
  });
});

describeConfined('TCP Fast Open', () => {
  const data = Buffer.from('past the rules');
  const address = (): Buffer => loopback(listener.port);
  const flags: readonly (number | bigint)[] = [MSG_FASTOPEN, MSG_FASTOPEN | MSG_NOSIGNAL, HIGH | BigInt(MSG_FASTOPEN)];
  const sends = (flag: number | bigint): Record<string, Step> => ({
    sendto: call('sendto', { step: 0 }, data, data.length, flag, address(), 16),
    sendmsg: call('sendmsg', { step: 0 }, message(data, address()), flag),
    sendmmsg: call('sendmmsg', { step: 0 }, mmsg(), 1, flag),
  });
  // struct mmsghdr: msg_len and padding behind it.
  const mmsg = (): Memory => new Memory(...message(data, address()).parts, Buffer.alloc(8));

  it.each(['sendto', 'sendmsg', 'sendmmsg'])('connects past no rule: %s', async (name) => {
    for (const options of [noPorts(), { netAllow: [`:${free}`] }, { netAllowBind: [0], fsWritable: [scratch()] }, { noSupervisor: true, netAllowBind: [0] }]) {
      for (const flag of flags) expect(await counted([tcp, sends(flag)[name]!], options)).toEqual([['ok', 'EOPNOTSUPP'], 0]);
    }
    expect((await listener.log()).received).not.toContain('past');
    expect(await counted([tcp, sends(flags[0]!)[name]!], 'unconfined')).toEqual([['ok', 'ok'], 1]);
  });

  it('is refused beside a listed port, too, whose ordinary connect and send work', async () => {
    const steps = [tcp, sends(MSG_FASTOPEN).sendto!, connect(listener.port), call('sendto', { step: 0 }, data, data.length, 0, 0, 0)];
    expect(await counted(steps, { netAllow: [`:${listener.port}`] })).toEqual([['ok', 'EOPNOTSUPP', 'ok', 'ok'], 1]);
  });

  it('is left alone where every port is allowed', async () => {
    expect(await counted([tcp, sends(MSG_FASTOPEN).sendto!], { netAllow: ['*:*'] })).toEqual([['ok', 'ok'], 1]);
  });

  it('cannot be had by socket option either', async () => {
    // TCP_FASTOPEN_CONNECT puts the connect off until the first write.
    const steps = [tcp, call('setsockopt', { step: 0 }, 6, 30, Buffer.from([1, 0, 0, 0]), 4), connect(listener.port), call('sendto', { step: 0 }, data, data.length, MSG_NOSIGNAL, 0, 0)];
    const [all, connections] = await counted(steps, { netAllow: [`:${free}`] });
    expect(all[2]).toBe('EACCES');
    expect(connections).toBe(0);
    expect((await counted(steps, 'unconfined'))[1]).toBe(1);
  });
});

describeConfined('bind(2) and listen(2)', () => {
  it('bind a listed port and listen on it', async () => {
    expect(said(await confined([tcp, bind(free), listen], { netAllowBind: [free] }))).toEqual(['ok', 'ok', 'ok']);
    expect(said(await confined([tcp, bind(0), listen], { netAllowBind: [0] }))).toEqual(['ok', 'ok', 'ok']);
    expect(said(await confined([tcp, bind(free), listen], { netAllowBind: ['*'] }))).toEqual(['ok', 'ok', 'ok']);
  });

  it.runIf(inContainer)('have no TCP socket where nothing is allowed and pidfd_getfd(2) is denied [needs a container]', async () => {
    expect(await counted([tcp, connect(listener.port)], {})).toEqual([['EACCES', expect.any(String)], 0]);
    expect(said(await confined([tcp], { netAllowBind: [free] }))).toEqual(['ok']);
  });

  it('bind no other', async () => {
    expect(said(await confined([tcp, bind(free), bind(0)], noPorts()))).toEqual(['ok', 'EACCES', 'EACCES']);
    expect(said(await confined([tcp, bind(free), bind(0)], { netAllowBind: [free + 1] }))).toEqual(['ok', 'EACCES', 'EACCES']);
    expect(said(await confined([tcp, bind(free)], { netAllow: [`:${free}`] }))).toEqual(['ok', 'EACCES']);
    expect(said(unconfined([tcp, bind(free)]))).toEqual(['ok', 'ok']);
  });

  it.each<[string, () => SandboxOptions]>([
    ['nothing may be bound', noPorts],
    ['one port may be bound', () => ({ netAllowBind: ['1024-1030'] })],
    ['there is no supervisor', () => ({ noSupervisor: true })],
  ])('choose no port for a socket that was never bound, when %s', async (_, given) => {
    const options = given();
    expect(said(await confined([tcp, listen, call('accept4', { step: 0 }, 0, 0, 0x800)], options))).toEqual(['ok', 'EACCES', 'EINVAL']);
    expect(said(await confined([call('socket', 10, SOCK_STREAM, 0), listen], options))).toEqual(['ok', 'EACCES']);
    expect(said(unconfined([tcp, listen]))).toEqual(['ok', 'ok']);
  });

  it('listen on a socket that was never bound where any free port may be', async () => {
    for (const netAllowBind of [[0], ['*']]) expect(said(await confined([tcp, listen], { netAllowBind }))).toEqual(['ok', 'ok']);
  });

  it('listen on UNIX sockets whatever ports there are', async () => {
    const folder = scratch();
    const address = unixAddress(`${folder}/socket`);
    const steps = [call('socket', AF_UNIX, SOCK_STREAM, 0), call('bind', { step: 0 }, address, address.length), listen];
    expect(said(await confined(steps, { fsWritable: [folder] }))).toEqual(['ok', 'ok', 'ok']);
    const abstract = unixAddress('inside', { abstract: true });
    expect(said(await confined([steps[0]!, call('bind', { step: 0 }, abstract, abstract.length), listen]))).toEqual(['ok', 'ok', 'ok']);
  });

  it('really take connections', async () => {
    const child = await new Sandbox(granting({ netAllowBind: [free] })).popen([compiled('calls')]);
    const steps = [tcp, call('setsockopt', { step: 0 }, 1, 2, Buffer.from([1, 0, 0, 0]), 4), bind(free), listen, call('accept', { step: 0 }, 0, 0), call('write', { step: 4 }, cString('hello'), 5)];
    child.stdin!.end(script(steps));
    let text = '';
    child.stdout!.on('data', (data) => { text += String(data); });
    while (text.split('\n').length < 5) await new Promise((resolve) => setTimeout(resolve, 10));
    const { connect: dial } = await import('node:net');
    const received = await new Promise<string>((resolve, reject) => {
      const socket = dial(free, '127.0.0.1').on('data', (data) => { resolve(String(data)); socket.destroy(); }).on('error', reject);
    });
    await child.wait();
    expect(received).toBe('hello');
    expect(said(answers(text, steps))).toEqual(Array(6).fill('ok'));
  });
});

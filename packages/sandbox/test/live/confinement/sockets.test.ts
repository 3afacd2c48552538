/** Which sockets can be made: an allow-list on family, type and protocol. */
import { expect, it } from 'vitest';

import type { SandboxOptions } from '../../../src/index.js';
import { unixAddress } from './bytes.js';
import { call, confined, describeConfined, inContainer, said, scratch, unconfined, type Step } from './calls.js';

const AF = { UNIX: 1, INET: 2, INET6: 10, NETLINK: 16, PACKET: 17, ALG: 38, VSOCK: 40, SMC: 43, BLUETOOTH: 31, KEY: 15, XDP: 44 };
const SOCK = { STREAM: 1, DGRAM: 2, RAW: 3, SEQPACKET: 5, DCCP: 6, PACKET: 10 };
const CLOEXEC = 0x80000;
const NONBLOCK = 0x800;
const HIGH = 1n << 32n;

type Row = readonly [what: string, answer: string, ...args: (number | bigint)[]];

const TABLE: readonly Row[] = [
  ['UNIX stream', 'ok', AF.UNIX, SOCK.STREAM, 0],
  ['UNIX datagram', 'ok', AF.UNIX, SOCK.DGRAM, 0],
  ['UNIX seqpacket', 'ok', AF.UNIX, SOCK.SEQPACKET | CLOEXEC | NONBLOCK, 0],
  ['TCP', 'ok', AF.INET, SOCK.STREAM, 0],
  ['TCP by number', 'ok', AF.INET, SOCK.STREAM | CLOEXEC | NONBLOCK, 6],
  ['TCP over IPv6', 'ok', AF.INET6, SOCK.STREAM | CLOEXEC, 0],
  ['TCP, high words filled', 'ok', HIGH | BigInt(AF.INET), HIGH | BigInt(SOCK.STREAM), HIGH | 6n],
  ['MPTCP', 'EAFNOSUPPORT', AF.INET, SOCK.STREAM, 262],
  ['MPTCP over IPv6', 'EAFNOSUPPORT', AF.INET6, SOCK.STREAM | CLOEXEC, 262],
  ['MPTCP, high words filled', 'EAFNOSUPPORT', HIGH | BigInt(AF.INET), HIGH | BigInt(SOCK.STREAM), HIGH | 262n],
  ['SMC by protocol', 'EAFNOSUPPORT', AF.INET, SOCK.STREAM, 256],
  ['SMC by family', 'EAFNOSUPPORT', AF.SMC, SOCK.STREAM, 0],
  ['SCTP stream', 'EAFNOSUPPORT', AF.INET, SOCK.STREAM, 132],
  ['SCTP seqpacket', 'EAFNOSUPPORT', AF.INET6, SOCK.SEQPACKET, 132],
  ['DCCP', 'EAFNOSUPPORT', AF.INET, SOCK.DCCP, 33],
  ['UDP', 'EPERM', AF.INET, SOCK.DGRAM, 0],
  ['UDP over IPv6', 'EPERM', AF.INET6, SOCK.DGRAM | NONBLOCK, 17],
  ['UDP, high words filled', 'EPERM', HIGH | BigInt(AF.INET), HIGH | BigInt(SOCK.DGRAM), 0],
  ['UDP-Lite', 'EPERM', AF.INET, SOCK.DGRAM, 136],
  ['ping', 'EPERM', AF.INET, SOCK.DGRAM, 1],
  ['raw', 'EPERM', AF.INET, SOCK.RAW, 1],
  ['raw, flags set', 'EPERM', AF.INET6, SOCK.RAW | CLOEXEC, 255],
  ['packet type', 'EAFNOSUPPORT', AF.INET, SOCK.PACKET, 0x0300],
  ['netlink route', 'EAFNOSUPPORT', AF.NETLINK, SOCK.RAW, 0],
  ['netlink audit', 'EAFNOSUPPORT', AF.NETLINK, SOCK.DGRAM, 9],
  ['netlink, high words filled', 'EAFNOSUPPORT', HIGH | BigInt(AF.NETLINK), SOCK.RAW, 0],
  ['packet', 'EAFNOSUPPORT', AF.PACKET, SOCK.RAW, 0],
  ['vsock', 'EAFNOSUPPORT', AF.VSOCK, SOCK.STREAM, 0],
  ['kernel crypto', 'EAFNOSUPPORT', AF.ALG, SOCK.SEQPACKET, 0],
  ['bluetooth', 'EAFNOSUPPORT', AF.BLUETOOTH, SOCK.RAW, 1],
  ['key management', 'EAFNOSUPPORT', AF.KEY, SOCK.RAW, 2],
  ['XDP', 'EAFNOSUPPORT', AF.XDP, SOCK.RAW, 0],
  ['no family', 'EAFNOSUPPORT', 0, SOCK.STREAM, 0],
  ['a family beyond all', 'EAFNOSUPPORT', 0xffffffff, SOCK.STREAM, 0],
];

const steps: Step[] = TABLE.map(([, , ...args]) => call('socket', ...args));
const expected = Object.fromEntries(TABLE.map(([what, answer]) => [what, answer]));

async function matrix(options: SandboxOptions): Promise<Record<string, string>> {
  const answers = said(await confined(steps, options));
  return Object.fromEntries(TABLE.map(([what], i) => [what, answers[i]!]));
}

describeConfined('sockets', () => {
  it('are made for UNIX and TCP, and for nothing else', async () => {
    expect(await matrix({ netAllow: [':443'] })).toEqual(expected);
    // With no port at all there are no TCP sockets in a container: see tcp.test.ts.
    if (!inContainer) expect(await matrix({ fsWritable: [scratch()] })).toEqual(expected);
  });

  it.skipIf(inContainer)('of UNIX are streams where no other one could be the program\'s own, and then they connect to nothing [needs no container]', async () => {
    expect(await matrix({})).toEqual({ ...expected, 'UNIX datagram': 'EPERM' });
    const connecting = [call('socket', AF.UNIX, SOCK.STREAM, 0), call('connect', { step: 0 }, unixAddress('/nowhere'), 11)];
    expect(said(await confined(connecting))).toEqual(['ok', 'EACCES']);
    expect(said(await confined(connecting, { fsWritable: [scratch()] }))).toEqual(['ok', 'ENOENT']);
    expect(said(unconfined(connecting))).toEqual(['ok', 'ENOENT']);
  });

  it('are no more with every port allowed, nor without a supervisor', async () => {
    expect(await matrix({ netAllow: ['*:*'], netAllowBind: ['*'] })).toEqual(expected);
    expect(await matrix({ noSupervisor: true, netAllow: ['*:*'], netAllowBind: ['*'] })).toEqual(expected);
  });

  it('are what the kernel would give otherwise', () => {
    const answers = said(unconfined(steps));
    const kernel = Object.fromEntries(TABLE.map(([what], i) => [what, answers[i]!]));
    expect(kernel).toMatchObject({ UDP: 'ok', 'netlink route': 'ok', 'UNIX stream': 'ok', TCP: 'ok' });
    expect(kernel['SCTP stream']).not.toBe('EAFNOSUPPORT');
    expect(kernel.DCCP).not.toBe('EAFNOSUPPORT');
    expect(kernel['SMC by protocol']).not.toBe('EAFNOSUPPORT');
  });

  it('of TCP cannot be made where nothing would judge their ports', async () => {
    const answers = await matrix({ disable: ['netTcp'] });
    for (const [what, answer] of Object.entries(expected)) {
      expect([what, answers[what]]).toEqual([what, what.startsWith('TCP') || what.includes('MPTCP') || what === 'SMC by protocol'
        || what === 'SCTP stream' ? 'EACCES' : what === 'UNIX datagram' ? 'EPERM' : answer]);
    }
  });

  it('come in pairs for UNIX alone', async () => {
    const pair = (family: number | bigint, type: number): Step => call('socketpair', family, type, 0, Buffer.alloc(8));
    const pairs = [
      pair(AF.UNIX, SOCK.STREAM), pair(HIGH | 1n, SOCK.DGRAM), pair(AF.INET, SOCK.STREAM), pair(AF.NETLINK, SOCK.RAW), pair(30, SOCK.STREAM),
    ];
    expect(said(await confined(pairs))).toEqual(['ok', 'EPERM', 'EAFNOSUPPORT', 'EAFNOSUPPORT', 'EAFNOSUPPORT']);
    expect(said(await confined(pairs, { fsWritable: [scratch()] }))).toEqual(['ok', 'ok', 'EAFNOSUPPORT', 'EAFNOSUPPORT', 'EAFNOSUPPORT']);
    expect(said(unconfined([pair(AF.INET, SOCK.STREAM)]))).toEqual(['EOPNOTSUPP']);
  });
});

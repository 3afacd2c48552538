/**
 * Sockets: which can be created, and what can be done with them past Landlock.
 *
 * Landlock judges TCP by port and nothing else. So sockets are an allow-list on family, type and protocol: UNIX,
 * and TCP over IPv4 and IPv6. MPTCP, SMC and SCTP sockets are streams to the same ports that its TCP rights do not
 * cover; netlink, packet and the rest are kernel interfaces nobody here needs. What is left out answers
 * EAFNOSUPPORT, as a kernel without that family does; datagrams and raw sockets answer EPERM.
 *
 * Before ABI 9 Landlock does not judge who connects to a UNIX socket by its name, and a daemon that listens on one
 * may do anything for whoever connects. A filter cannot read the name. But where nothing is writable the program
 * can have no such socket of its own, and where no TCP port is allowed either, connect(2) has nothing left that it
 * may reach: then it is refused, and with it UNIX datagram sockets, which need no connect to send.
 * All three arguments are ints. socket(2); include/linux/net.h, enum sock_type.
 */
import { arg32, type ArgCondition } from '@sandlock/bpf';

import type { TcpEnforcement } from '../landlock/tcp-enforcement.js';
import { allowsAnyFreePort, allowsNothing, type NetPolicy } from '../policy/net-policy.js';
import type { Denial, RulesByCall } from './call-rules.js';

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
/** net/socket.c, SOCK_TYPE_MASK. */
const SOCK_TYPE_MASK = 0xf;
const SOCK_CREATION_FLAGS = 0x80000 | 0x800; // SOCK_CLOEXEC, SOCK_NONBLOCK
const IPPROTO_TCP = 6;
const MSG_FASTOPEN = 0x20000000;
const TCP_ULP = 31; // include/uapi/linux/tcp.h

/** @param anythingWritable whether a named UNIX socket may be one of the program's own */
export function socketRules(net: NetPolicy, tcp: TcpEnforcement, anythingWritable: boolean): RulesByCall {
  const internet = [AF_INET, AF_INET6];
  const unreachable = refusesConnect(net, tcp, anythingWritable);
  // To the UNIX family SOCK_RAW is another spelling of SOCK_DGRAM: net/unix/af_unix.c, unix_create().
  const unixDatagrams = (unreachable ? [SOCK_DGRAM, SOCK_RAW] : []).map((type): Denial =>
    ({ when: [arg32(0).eq(AF_UNIX), arg32(1).maskedEq(SOCK_TYPE_MASK, type)], errno: 'EPERM' }));
  const refuse = (type: number, errno: Denial['errno']): Denial[] => internet.map((family) =>
    ({ when: [arg32(0).eq(family), arg32(1).maskedEq(SOCK_TYPE_MASK, type)], errno }));
  const streams = internet.flatMap((family) => [0, IPPROTO_TCP].map((protocol): ArgCondition[] => [
    arg32(0).eq(family),
    arg32(1).maskedEq((~SOCK_CREATION_FLAGS) >>> 0, SOCK_STREAM),
    arg32(2).eq(protocol),
  ]));
  return {
    socket: {
      // EACCES is what Landlock would answer to the connect or bind that cannot follow.
      deny: [...unixDatagrams, ...refuse(SOCK_DGRAM, 'EPERM'), ...refuse(SOCK_RAW, 'EPERM'), ...(tcp === 'noSockets' ? refuse(SOCK_STREAM, 'EACCES') : [])],
      only: { forms: [[arg32(0).eq(AF_UNIX)], ...(tcp === 'noSockets' ? [] : streams)], otherwise: 'EAFNOSUPPORT' },
    },
    socketpair: { deny: [{ when: [arg32(0).ne(AF_UNIX)], errno: 'EAFNOSUPPORT' }, ...unixDatagrams] },
    ...(unreachable ? { connect: { deny: [{ when: [], errno: 'EACCES' }] } } : {}),
    ...(needsListenGate(net, tcp) ? { listen: { unless: { family: 'listen', deny: [{ when: [], errno: 'EACCES' }] } } } : {}),
    ...(tcp !== 'open' && net.connect.kind !== 'any' ? fastOpenRules : {}),
    ...(tcp !== 'open' && (net.connect.kind !== 'any' || net.bind.kind !== 'any') ? upperProtocolRules : {}),
  };
}

/** Whether connect(2) is refused whatever its arguments: there is nothing that it may reach. */
export function refusesConnect(net: NetPolicy, tcp: TcpEnforcement, anythingWritable: boolean): boolean {
  return !anythingWritable && (tcp === 'noSockets' || allowsNothing(net.connect));
}

/**
 * listen(2) on a socket that was never bound binds it to a free port, and Landlock is not asked. A filter cannot
 * tell such a socket from a bound one, nor TCP from UNIX, so somebody has to look: the listen family.
 */
export function needsListenGate(net: NetPolicy, tcp: TcpEnforcement): boolean {
  return tcp === 'landlock' && !allowsAnyFreePort(net.bind);
}

/**
 * With MSG_FASTOPEN a send connects, and Landlock is not asked. EOPNOTSUPP is what a kernel with TCP Fast Open
 * switched off answers, on which programs connect the ordinary way. net/ipv4/tcp.c, tcp_sendmsg_fastopen().
 */
const fastOpenRules: RulesByCall = {
  sendto: { deny: [fastOpen(3)] },
  sendmsg: { deny: [fastOpen(2)] },
  sendmmsg: { deny: [fastOpen(3)] },
};

function fastOpen(index: number): Denial {
  return { when: [arg32(index).maskedEq(MSG_FASTOPEN, MSG_FASTOPEN)], errno: 'EOPNOTSUPP' };
}

/**
 * The upper layer protocol "smc" turns a TCP socket into one that Landlock no longer takes for TCP. The name stands
 * in memory, so all of them are refused; ENOENT is what a kernel without them answers, on which TLS libraries
 * do in user space what "tls" would have done. net/smc/af_smc.c, smc_ulp_init(); net/ipv4/tcp_ulp.c.
 */
const upperProtocolRules: RulesByCall = {
  setsockopt: { deny: [{ when: [arg32(1).eq(IPPROTO_TCP), arg32(2).eq(TCP_ULP)], errno: 'ENOENT' }] },
};

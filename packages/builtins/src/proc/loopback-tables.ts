/**
 * Network tables of a machine that has only its loopback device, and never sent anything.
 *
 * Taken from a network namespace of Linux 6.18 in which `lo` was brought up: cat /proc/net/NAME.
 * proc_pid_net(5)
 */
const IF_INET6 = '00000000000000000000000000000001 01 80 10 80       lo\n';
const NOWHERE = '0'.repeat(32);
const LOCAL_TRIE = `  +-- 127.0.0.0/8 2 0 2
     +-- 127.0.0.0/31 1 0 0
        |-- 127.0.0.0
           /8 host LOCAL
        |-- 127.0.0.1
           /32 host LOCAL
     |-- 127.255.255.255
        /32 link BROADCAST
`;

/** Content by name below /proc/<pid>/net. */
export const LOOPBACK_TABLES: ReadonlyMap<string, string> = new Map([
  ['dev', `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
`],
  ['if_inet6', IF_INET6],
  ['arp', 'IP address       HW type     Flags       HW address            Mask     Device\n'],
  ['route', `${'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT'.padEnd(127)}\n`],
  ['rt_cache', `${'Iface\tDestination\tGateway \tFlags\t\tRefCnt\tUse\tMetric\tSource\t\tMTU\tWindow\tIRTT\tTOS\tHHRef\tHHUptod\tSpecDst'.padEnd(127)}\n`],
  ['ipv6_route', `${NOWHERE.slice(0, -1)}1 80 ${NOWHERE} 00 ${NOWHERE} 00000000 00000002 00000000 80200001       lo\n`],
  ['fib_trie', `Main:\n${LOCAL_TRIE}Local:\n${LOCAL_TRIE}`],
  ['igmp', 'Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n1\tlo        :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n'],
  ['igmp6', '1    lo              ff020000000000000000000000000001     1 0000000C 0\n'],
  ['mcfilter', 'Idx Device        MCA        SRC    INC    EXC\n'],
  ['mcfilter6', 'Idx Device                Multicast Address                   Source Address    INC    EXC\n'],
  ['ip6_flowlabel', 'Label S Owner  Users  Linger Expires  Dst                              Opt\n'],
  ['dev_mcast', ''],
  ['anycast6', ''],
]);

/** Counters: the machine's names, and nothing counted. */
export const COUNTER_TABLES: readonly string[] = ['snmp', 'snmp6', 'netstat'];

export function zeroed(machine: string): string {
  return machine.replace(/([ \t])-?\d+(?=[ \t\n]|$)/g, '$10');
}

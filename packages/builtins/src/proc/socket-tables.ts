/**
 * Tables of sockets, with the lines of some inodes alone.
 *
 * A table has the sockets of everybody, so it is gone through piece by piece, and other work gets its turn in between.
 *
 * Each line has the address of a socket in the kernel. The kernel hides it by the rights of whoever reads, who is the
 * supervisor here: of root it may be the real one, which says where the kernel keeps its data. So none is shown.
 * proc_sys_kernel(5), kptr_restrict; Documentation/core-api/printk-formats.rst, "Unmodified Addresses"
 *
 * proc_pid_net(5); net/ipv4/tcp_ipv4.c, get_tcp4_sock() and its like, net/unix/af_unix.c, net/netlink/af_netlink.c,
 * net/packet/af_packet.c
 */

/** Which field, counted from 0, is the inode. */
const INET = 9;
export const SOCKET_TABLES: ReadonlyMap<string, number> = new Map([
  ...['tcp', 'tcp6', 'udp', 'udp6', 'udplite', 'udplite6', 'raw', 'raw6', 'icmp', 'icmp6'].map((name): [string, number] => [name, INET]),
  ['unix', 6], ['netlink', 9], ['packet', 8],
]);

/** Where the address is: the second field behind the inode, or the first of all. */
const BEHIND_INODE = /^(\s*(?:\S+\s+){11})([0-9a-f]+)/;
const FIRST = /^(\s*)([0-9a-f]+)/;

const NEWLINE = 0x0a;
/** Some four hundred lines. */
const PIECE_BYTES = 64 * 1024;

/** The header, and the lines of these sockets. Where lines are numbered, they are numbered anew. A character a byte. */
export async function filteredSockets(table: Buffer, inodeField: number, inodes: ReadonlySet<number>): Promise<string> {
  const headerEnd = table.indexOf(NEWLINE);
  const kept: string[] = [table.toString('latin1', 0, headerEnd)];
  const isNumbered = /^ *sl /.test(kept[0]!);
  for (let at = headerEnd + 1; at < table.length;) {
    const end = table.indexOf(NEWLINE, at + PIECE_BYTES);
    const piece = table.toString('latin1', at, end < 0 ? table.length : end);
    for (const line of piece.split('\n')) {
      const inode = line.trimStart().split(/\s+/, inodeField + 1)[inodeField];
      if (inode !== undefined && inodes.has(Number(inode))) kept.push(isNumbered ? numbered(withoutAddress(line, BEHIND_INODE), kept.length - 1) : withoutAddress(line, FIRST));
    }
    if (end < 0) break;
    at = end + 1;
    await new Promise<void>((resolve) => { setImmediate(resolve); });
  }
  return `${kept.join('\n')}\n`;
}

/** Lines behind the header. */
export function countSockets(filtered: string): number {
  return Math.max(0, filtered.split('\n').length - 2);
}

/**
 * /proc/net/sockstat and sockstat6, counted from filtered tables.
 *
 * @param used all sockets, of whatever family
 * @param count how many a table has
 */
export function socketStatistics(used: number, count: (table: string) => number): { readonly sockstat: string; readonly sockstat6: string } {
  const tcp = count('tcp');
  return {
    sockstat: `sockets: used ${used}\nTCP: inuse ${tcp} orphan 0 tw 0 alloc ${tcp + count('tcp6')} mem 0\nUDP: inuse ${count('udp')} mem 0\n`
      + `UDPLITE: inuse ${count('udplite')}\nRAW: inuse ${count('raw')}\nFRAG: inuse 0 memory 0\n`,
    sockstat6: `TCP6: inuse ${count('tcp6')}\nUDP6: inuse ${count('udp6')}\nUDPLITE6: inuse ${count('udplite6')}\nRAW6: inuse ${count('raw6')}\n`
      + 'FRAG6: inuse 0 memory 0\n',
  };
}

/** As the kernel shows it to who may not know. */
function withoutAddress(line: string, where: RegExp): string {
  return line.replace(where, (_, before: string, address: string) => before + '0'.repeat(address.length));
}

function numbered(line: string, index: number): string {
  return line.replace(/^( *)(\d+):/, (whole) => `${String(index).padStart(whole.length - 1)}:`);
}

/**
 * Views of /proc/<pid>/net: the sandbox's own sockets, a loopback device, and nothing else.
 *
 * Tables are read through the directory of whoever asks, since its network is what they are about. What has no view
 * here is refused by the views family, for it would be the machine's.
 */
import { readFileAside } from '@sandlock/sys';

import { OneAtATime } from '../one-at-a-time.js';
import type { Members } from '../views/members.js';
import { viewFile, type ViewContent } from '../views/view-file.js';
import type { View, ViewRequest } from '../views/view.js';
import { kernelHas } from './kernel-has.js';
import { COUNTER_TABLES, LOOPBACK_TABLES, zeroed } from './loopback-tables.js';
import { socketInodes } from './socket-inodes.js';
import { countSockets, filteredSockets, SOCKET_TABLES, socketStatistics } from './socket-tables.js';

const NET = '/proc/self/net';
/** Some four hundred thousand sockets. */
const MAX_TABLE_BYTES = 64 * 1024 * 1024;

export function networkViews(members: Members): View[] {
  const views: View[] = [];
  const add = (name: string, content: ViewContent): void => { views.push(viewFile(`${NET}/${name}`, content)); };

  const aside = new OneAtATime();
  const addLate = (name: string, content: (request: ViewRequest) => Promise<Buffer | string>): void => {
    add(name, (request) => (signal) => aside.run(() => content(request), signal));
  };

  const machines = async ({ asker }: ViewRequest, name: string): Promise<Buffer> => {
    const { bytes, complete } = await readFileAside(`/proc/${asker.tgid}/net/${name}`, MAX_TABLE_BYTES);
    if (!complete) throw new Error(`More than ${MAX_TABLE_BYTES} bytes of /proc/net/${name}.`);
    return bytes;
  };
  const filtered = async (request: ViewRequest, name: string, inodes: ReadonlySet<number>): Promise<string> => (
    filteredSockets(await machines(request, name), SOCKET_TABLES.get(name)!, inodes));

  for (const [name, content] of LOOPBACK_TABLES) add(name, () => content);
  const has = (name: string): boolean => kernelHas(`${NET}/${name}`); // one that appears later, with a module, has no view and is refused
  for (const name of COUNTER_TABLES.filter(has)) addLate(name, async (request) => latin1(zeroed((await machines(request, name)).toString('latin1'))));
  const tables = [...SOCKET_TABLES.keys()].filter(has);
  for (const name of tables) {
    addLate(name, async (request) => latin1(await filtered(request, name, await socketInodes(members.pids()))));
  }
  for (const name of ['sockstat', 'sockstat6'] as const) {
    addLate(name, async (request) => {
      const inodes = await socketInodes(members.pids());
      const counts = new Map<string, number>();
      for (const table of tables) counts.set(table, countSockets(await filtered(request, table, inodes)));
      return socketStatistics(inodes.size, (table) => counts.get(table) ?? 0)[name];
    });
  }
  return views;
}

/** Paths of sockets are bytes. */
function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

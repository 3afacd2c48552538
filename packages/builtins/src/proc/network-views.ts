/**
 * Views of /proc/<pid>/net: the sandbox's own sockets, a loopback device, and nothing else.
 *
 * Tables are read through the directory of whoever asks, since its network is what they are about. What has no view
 * here is refused by the views family, for it would be the machine's.
 */
import { existsSync, readFileSync } from 'node:fs';

import type { Members } from '../views/members.js';
import { viewFile, type ViewContent } from '../views/view-file.js';
import type { View, ViewRequest } from '../views/view.js';
import { COUNTER_TABLES, LOOPBACK_TABLES, zeroed } from './loopback-tables.js';
import { socketInodes } from './socket-inodes.js';
import { countSockets, filteredSockets, SOCKET_TABLES, socketStatistics } from './socket-tables.js';

const NET = '/proc/self/net';

export function networkViews(members: Members): View[] {
  const views: View[] = [];
  const add = (name: string, content: ViewContent): void => { views.push(viewFile(`${NET}/${name}`, content)); };

  const machines = ({ asker }: ViewRequest, name: string): string => readFileSync(`/proc/${asker.tgid}/net/${name}`, 'latin1');
  const filtered = (request: ViewRequest, name: string, inodes: ReadonlySet<string>): string => (
    filteredSockets(machines(request, name), SOCKET_TABLES.get(name)!, inodes));

  for (const [name, content] of LOOPBACK_TABLES) add(name, () => content);
  const has = (name: string): boolean => existsSync(`${NET}/${name}`); // not every kernel has all protocols
  for (const name of COUNTER_TABLES.filter(has)) add(name, (request) => latin1(zeroed(machines(request, name))));
  const tables = [...SOCKET_TABLES.keys()].filter(has);
  for (const name of tables) {
    add(name, (request) => latin1(filtered(request, name, socketInodes(members.pids()))));
  }
  for (const name of ['sockstat', 'sockstat6'] as const) {
    add(name, (request) => {
      const inodes = socketInodes(members.pids());
      const count = (table: string): number => (tables.includes(table) ? countSockets(filtered(request, table, inodes)) : 0);
      return socketStatistics(inodes.size, count)[name];
    });
  }
  return views;
}

/** Paths of sockets are bytes. */
function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/**
 * Views of /proc/<pid>/net: the sandbox's own sockets, a loopback device, and nothing else.
 *
 * Tables are read through the directory of whoever asks, since its network is what they are about. What is not
 * known here is refused, for it would be the machine's.
 */
import { action } from '@sandlock/dispatch';
import { readdirSync, readFileSync } from 'node:fs';

import type { Members } from '../views/members.js';
import { viewFile, type ViewContent } from '../views/view-file.js';
import type { View, ViewRequest } from '../views/view.js';
import { COUNTER_TABLES, LOOPBACK_TABLES, zeroed } from './loopback-tables.js';
import { socketInodes } from './socket-inodes.js';
import { countSockets, filteredSockets, SOCKET_TABLES, socketStatistics } from './socket-tables.js';

const NET = '/proc/self/net';

export function networkViews(members: Members): View[] {
  const views = new Map<string, View>();
  const add = (name: string, content: ViewContent): void => { views.set(name, viewFile(`${NET}/${name}`, content)); };

  const machines = ({ asker }: ViewRequest, name: string): string => readFileSync(`/proc/${asker.tgid}/net/${name}`, 'latin1');
  const filtered = (request: ViewRequest, name: string, inodes: ReadonlySet<string>): string => (
    filteredSockets(machines(request, name), SOCKET_TABLES.get(name)!, inodes));

  for (const [name, content] of LOOPBACK_TABLES) add(name, () => content);
  for (const name of COUNTER_TABLES) add(name, (request) => latin1(zeroed(machines(request, name))));
  for (const name of SOCKET_TABLES.keys()) {
    add(name, (request) => latin1(filtered(request, name, socketInodes(members.pids()))));
  }
  for (const name of ['sockstat', 'sockstat6'] as const) {
    add(name, (request) => {
      const inodes = socketInodes(members.pids());
      const count = (table: string): number => countSockets(filtered(request, table, inodes));
      return socketStatistics(inodes.size, count)[name];
    });
  }
  for (const name of machineNames()) if (!views.has(name)) views.set(name, refused(`${NET}/${name}`));
  return [...views.values()];
}

/** What this kernel has there, below directories too. */
let names: readonly string[] | undefined;
function machineNames(): readonly string[] {
  return (names ??= readdirSync(NET, { withFileTypes: true, recursive: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => `${parentPath}/${name}`.slice(NET.length + 1)));
}

function refused(path: string): View {
  return { path, open: () => action.errno('EACCES') };
}

/** Paths of sockets are bytes. */
function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

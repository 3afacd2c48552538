/**
 * Opens views by their plain names, also from a directory: as much as a test of contents needs.
 */
import { action, decodeOpen, type Family, type Handler } from '@sandlock/dispatch';

import { readlinkSync } from 'node:fs';

import type { View } from '../../src/index.js';

export function viewsByName(views: readonly View[]): Family {
  const byName = new Map(views.map((view) => [view.path, view]));
  const open: Handler = (context) => {
    const how = decodeOpen(context);
    if (!how.ok) return how.deny();
    const path = how.path.toString('latin1');
    const from = path.startsWith('/') || how.dirfd < 0 ? '' : `${readlinkSync(`/proc/${context.pid}/fd/${how.dirfd}`)}/`;
    const name = `${from}${path}`.replace(/^\/proc\/(?:net|mounts)/, '/proc/self$&').replace('/proc/self/proc/', '/proc/self/');
    const asker = { pid: context.pid, tgid: context.pid };
    return byName.get(name)?.open({ asker, subject: asker, flags: how.flags, mayWrite: false }) ?? action.continue();
  };
  return { name: 'views', handlers: { open, openat: open } };
}

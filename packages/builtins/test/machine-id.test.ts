import { afterEach, describe, expect, it } from 'vitest';

import { machineId, views } from '../src/index.js';
import { closeAll, Supervised } from './supervised.js';

afterEach(closeAll);

const AT_FDCWD = -100;
const ID = '0123456789abcdef0123456789abcdef';

function target(mayRead: (path: string) => boolean) {
  return new Supervised(views({
    views: machineId(ID), grants: { mayRead, mayWrite: () => true }, members: { isMember: () => true, pids: () => [], count: () => 0 },
    watchedFdBase: 0, procGranted: false,
  }));
}

describe('the id of the machine', () => {
  it.each(['/etc/machine-id', '/var/lib/dbus/machine-id'])('stands in %s, a line, where that is granted', async (path) => {
    const granted = target((name) => name === path);
    expect(await granted.call('openat', [AT_FDCWD, granted.memory(path), 0])).toMatchObject({ kind: 'fd', content: `${ID}\n` });
    const other = target((name) => name !== path);
    expect(await other.call('openat', [AT_FDCWD, other.memory(path), 0])).toMatchObject({ errno: 'EACCES' });
  });

  it('stands nowhere else', () => {
    expect(machineId(ID).map(({ path }) => path)).toEqual(['/etc/machine-id', '/var/lib/dbus/machine-id']);
  });

  it.each(['', ID.slice(1), `${ID}0`, ID.toUpperCase(), '0'.repeat(32), `${ID.slice(1)}g`, `${ID}\n`, '01234567-89ab-cdef-0123-456789abcdef'])('is not "%s"', (id) => {
    expect(() => machineId(id)).toThrow(RangeError);
  });
});

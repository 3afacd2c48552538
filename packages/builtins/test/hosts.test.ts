import { describe, expect, it } from 'vitest';

import { hosts, type HostEntry } from '../src/index.js';

const request = { asker: { pid: 1, tgid: 1 }, subject: { pid: 1, tgid: 1 }, name: '/etc/hosts' };

describe('/etc/hosts', () => {
  it('has the loopback names, and what is added', async () => {
    expect(hosts().path).toBe('/etc/hosts');
    expect(await hosts().stat!(request)).toMatchObject({ size: '127.0.0.1 localhost\n::1 localhost\n'.length });
    const added = hosts([{ address: '192.0.2.7', names: ['db', 'db.internal'] }, { address: '2001:db8::1', names: ['six'] }]);
    expect(await added.stat!(request)).toMatchObject({ size: '127.0.0.1 localhost\n::1 localhost\n192.0.2.7 db db.internal\n2001:db8::1 six\n'.length });
  });

  it.each<HostEntry>([
    { address: 'db', names: ['x'] }, { address: 'fe80::1%eth0', names: ['x'] }, { address: '10.0.0.1', names: [] },
    { address: '10.0.0.1', names: ['a b'] }, { address: '10.0.0.1', names: ['a\n10.0.0.2 b'] }, { address: '10.0.0.1', names: ['#'] },
  ])('refuses %j, which would make another file', (entry) => {
    expect(() => hosts([entry])).toThrow(RangeError);
  });
});

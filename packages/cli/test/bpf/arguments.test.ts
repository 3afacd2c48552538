import { DOCKER_DEFAULT_CAPABILITIES } from '@sandlock/bpf';
import { describe, expect, it } from 'vitest';

import { callOf, parseCommand, registersOf } from '../../src/commands/bpf/arguments.js';
import { capabilitiesOf } from '../../src/commands/bpf/capabilities.js';
import { isColoured, paint } from '../../src/commands/bpf/paint.js';
import { showRanges, wrapped } from '../../src/commands/bpf/print.js';
import { UsageError } from '../../src/errors/usage-error.js';

const fail = (message: string): never => {
  throw new UsageError(message, 'sandlock bpf');
};
const parse = (...argv: string[]) => parseCommand('simulate', argv, { args: { type: 'string' } }, 1);

describe('a command line of sandlock bpf', () => {
  it('takes flags anywhere, and negative values', () => {
    expect(parse('file', '--args', '-1,2', '--arch', 'arm').values).toMatchObject({ args: '-1,2' });
    expect(parse('-', '--layout', 'linear').source).toMatchObject({ layout: 'linear', archGiven: false });
    expect(parse('--', '-1').files).toEqual(['-1']);
  });

  it.each([
    [['f', '--nonsense']], [[]], [['a', 'b']], [['f', '--arch', 'z80']], [['f', '--cap', 'CAP_NONE']], [['f', '--layout', 'x']],
    [['f', '--kernel', 'new']], [['f', '--args']],
  ])('is refused if it makes no sense: %j', (argv) => {
    expect(() => parse(...argv)).toThrow(UsageError);
  });

  it('names a call by name or number, with an architecture or without', () => {
    expect(callOf('openat', 'x86_64', fail)).toEqual({ arch: 'x86_64', nr: 257, name: 'openat' });
    expect(callOf('i386:openat', 'x86_64', fail)).toEqual({ arch: 'i386', nr: 295, name: 'openat' });
    expect(callOf('0x101', 'x86_64', fail)).toMatchObject({ nr: 257, name: 'openat' });
    expect(callOf('-1', 'x86_64', fail)).toMatchObject({ nr: 0xffffffff });
    for (const wrong of ['opnat', 'z80:openat', ':openat', '4294967296', '']) expect(() => callOf(wrong, 'x86_64', fail)).toThrow(UsageError);
  });

  it('gives registers as they would be', () => {
    expect(registersOf('1,0xffffffffffffffff, -1 0o17', '--args', 6, fail)).toEqual([1n, (1n << 64n) - 1n, -1n, 15n]);
    expect(registersOf('', '--args', 6, fail)).toEqual([]);
    for (const wrong of ['x', '1.5', '0x1ffffffffffffffff', '1,2,3,4,5,6,7']) expect(() => registersOf(wrong, '--args', 6, fail)).toThrow(UsageError);
  });

  it('names capabilities in any spelling', () => {
    expect(capabilitiesOf(['cap_sys_admin,BPF', 'net_raw'], fail)).toEqual(['CAP_SYS_ADMIN', 'CAP_BPF', 'CAP_NET_RAW']);
    expect(capabilitiesOf(['docker', 'chown'], fail)).toEqual(DOCKER_DEFAULT_CAPABILITIES);
    const all = capabilitiesOf(['all'], fail);
    expect(all).toHaveLength(41);
    expect(all).toEqual(expect.arrayContaining([...DOCKER_DEFAULT_CAPABILITIES]));
  });
});

describe('colour', () => {
  it('is for terminals, and for those who did not ask to do without', () => {
    const terminal = () => true;
    expect(isColoured({}, terminal)).toBe(true);
    expect(isColoured({ NO_COLOR: '' }, terminal)).toBe(true);
    expect(isColoured({ NO_COLOR: '1' }, terminal)).toBe(false);
    expect(isColoured({ TERM: 'dumb' }, terminal)).toBe(false);
    expect(isColoured({}, () => false)).toBe(false);
  });

  it('tells what happens from what does not', () => {
    const { action } = paint(true);
    expect(new Set(['ALLOW', 'ERRNO(EPERM)', 'KILL_PROCESS'].map((text) => action(text).replace(text, ''))).size).toBe(3);
    expect(paint(false).action('ALLOW')).toBe('ALLOW');
  });
});

describe('lists', () => {
  it('are wrapped, and ranges have their ends', () => {
    expect(wrapped(['aaaa', 'bbbb', 'cccc'], '  ', 12)).toBe('  aaaa bbbb\n  cccc\n');
    expect(showRanges([1, 1, 5, 9, 0x40000000, 0xffffffff])).toBe('1, 5 to 9, 0x40000000 to 0xffffffff');
  });
});

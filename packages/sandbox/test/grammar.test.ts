import { describe, expect, it } from 'vitest';

import { parseByteSize, showByteSize } from '../src/options/grammar/byte-size.js';
import { capabilityMask, parseCapability } from '../src/options/grammar/capability-name.js';
import { parseFsPath, showPath } from '../src/options/grammar/fs-path.js';
import { GrammarError } from '../src/options/grammar/grammar-error.js';
import { parseNetRule } from '../src/options/grammar/net-rule.js';
import { parsePathGrant } from '../src/options/grammar/path-grant.js';
import { joinPortSets, parsePortItemOrAny, parsePorts } from '../src/options/grammar/port-list.js';
import { parseDisabledProtection, parseProtection } from '../src/options/grammar/protection-name.js';
import { parseRandomSeed } from '../src/options/grammar/random-seed.js';
import { parseSandboxName } from '../src/options/grammar/sandbox-name.js';
import { contradictions, parseAllowedGroup, parseDeniedSyscall } from '../src/options/grammar/syscall-selection.js';
import { checkZone, parseTime } from '../src/options/grammar/time.js';
import { parseUser } from '../src/options/grammar/user-ids.js';
import { numberFromText, wholeNumber } from '../src/options/grammar/whole-number.js';

const bytes = (text: string) => Uint8Array.from(Buffer.from(text));

describe('port lists', () => {
  it('mix numbers, text, ranges and comma lists, sorted and unique', () => {
    expect(parsePorts([80, '443', '8000-8002', '22,80'])).toEqual([22, 80, 443, 8000, 8001, 8002]);
    expect(parsePorts('7-7')).toEqual([7]);
    expect(parsePorts([0, 65535])).toEqual([0, 65535]);
    expect(parsePorts([])).toEqual([]);
    expect(parsePorts('0-65535')).toHaveLength(65536);
  });

  it.each([
    '', ',', '80,', ',80', 'http', '80-', '-80', '90-80', '65536', '0-65536', '*', '80,*', ' 80', '80 ', '0x50', '1e3', '+80', '80-90-100',
    -1, 65536, 1.5, NaN, Infinity,
  ])('refuse %j', (item) => {
    expect(() => parsePorts([item])).toThrow(GrammarError);
  });

  it('refuse what is neither number nor text', () => {
    for (const item of [true, null, {}, 80n]) expect(() => parsePorts([item as never])).toThrow(GrammarError);
  });

  it('take "*" alone, and repeated, but not with ports', () => {
    const any = parsePortItemOrAny('*');
    expect(any).toEqual({ kind: 'any' });
    expect(joinPortSets([any, any])).toEqual({ kind: 'any' });
    expect(joinPortSets([])).toEqual({ kind: 'ports', ports: [] });
    expect(() => joinPortSets([any, parsePortItemOrAny(80)])).toThrow(GrammarError);
  });
});

describe('net rules', () => {
  it.each([
    [':443', undefined, { kind: 'any' }, [443]],
    ['tcp://*:443', 'tcp', { kind: 'any' }, [443]],
    ['tcp://:80,443,80', 'tcp', { kind: 'any' }, [80, 443]],
    ['Example.org:443', undefined, { kind: 'host', name: 'example.org' }, [443]],
    ['udp://192.0.2.53:53', 'udp', { kind: 'address', family: 4, address: '192.0.2.53', prefix: 32 }, [53]],
    ['10.0.0.0/8:22', undefined, { kind: 'address', family: 4, address: '10.0.0.0', prefix: 8 }, [22]],
    ['[::1]:443', undefined, { kind: 'address', family: 6, address: '::1', prefix: 128 }, [443]],
    ['[fc00::/7]:1', undefined, { kind: 'address', family: 6, address: 'fc00::', prefix: 7 }, [1]],
  ])('read %s', (text, scheme, target, ports) => {
    expect(parseNetRule(text)).toEqual({ scheme, target, ports: { kind: 'ports', ports } });
  });

  it.each([
    ['*', undefined, { kind: 'any' }],
    ['*:*', undefined, { kind: 'any' }],
    ['icmp://*', 'icmp', { kind: 'any' }],
    ['icmp://192.0.2.1', 'icmp', { kind: 'address', family: 4, address: '192.0.2.1', prefix: 32 }],
    ['::1', undefined, { kind: 'address', family: 6, address: '::1', prefix: 128 }],
    ['[::1]:*', undefined, { kind: 'address', family: 6, address: '::1', prefix: 128 }],
    ['[::1]', undefined, { kind: 'address', family: 6, address: '::1', prefix: 128 }],
    ['example.org', undefined, { kind: 'host', name: 'example.org' }],
  ])('give %s every port', (text, scheme, target) => {
    expect(parseNetRule(text)).toEqual({ scheme, target, ports: { kind: 'any' } });
  });

  it.each([
    '', 'tcp://', 'http://a', 'TCP://*:1', ':0', ':80,*', ':x', ':', ':80,', ':65536', 'icmp://*:1', '10.0.0.0/33', '10.0.0.0/-1',
    '10.0.0.0/', '10.0.0.0/8/8', '[::1:443', '::1]:443', '[::1]443', '[example.org]:1', '[1.2.3.4]:1', '[fc00::/129]:1', '*.example.com',
    '1.2.3', '256.1.1.1', 'a b:1', '-a.org', 'a..b', 'fe80::1%eth0', 'a/8:1', 443, null,
  ])('refuse %j', (text) => {
    expect(() => parseNetRule(text)).toThrow(GrammarError);
  });
});

describe('users', () => {
  it('are UID:GID or an object', () => {
    expect(parseUser('0:4294967294')).toEqual({ uid: 0, gid: 4294967294 });
    expect(parseUser({ uid: 1000, gid: 100 })).toEqual({ uid: 1000, gid: 100 });
  });

  it.each([
    '', '1000', '1000:', ':1000', 'a:b', '1:2:3', '-1:0', '4294967295:0', '0:4294967296', ' 1:1', '0x1:1',
    1000, null, [], {}, { uid: 1 }, { gid: 1 }, { uid: 1, gid: '1' }, { uid: 1.5, gid: 1 }, { uid: -1, gid: 1 }, { uid: 1, gid: 1, groups: [] },
  ])('refuse %j', (user) => {
    expect(() => parseUser(user)).toThrow(GrammarError);
  });
});

describe('names', () => {
  it.each(['a', 'job-1', 'Jürgen', 'a b', '...', 'x'.repeat(64)])('take %j', (name) => {
    expect(parseSandboxName(name)).toBe(name);
  });

  it.each([
    '', '.', '..', 'a/b', 'a\0b', 'a\nb', '\x1b[31m', 'a\x7f', 'a\x85', 'a\u2028b', 'a\u202eb', 'x'.repeat(65), 'ü'.repeat(33), '\ud800', 7,
  ])('refuse %j', (name) => {
    expect(() => parseSandboxName(name)).toThrow(GrammarError);
  });

  it('never repeat a control character in the message', () => {
    try {
      parseSandboxName('\x1b]0;title\x07');
      expect.unreachable();
    } catch (error) {
      expect((error as Error).message).not.toMatch(/[\x00-\x1f]/); // eslint-disable-line no-control-regex
    }
  });
});

describe('protections', () => {
  it('are found in either spelling and any case', () => {
    for (const name of ['signalScope', 'signal-scope', 'SIGNAL-SCOPE', 'SignalScope']) expect(parseProtection(name)).toBe('signalScope');
  });

  it('list the valid names and the nearest one for an unknown name', () => {
    try {
      parseProtection('net-tpc');
      expect.unreachable();
    } catch (error) {
      expect((error as GrammarError).message).toContain('abstract-unix-socket-scope');
      expect((error as GrammarError).hint).toContain('net-tcp');
    }
  });

  it('cannot disable fs-refer, and can disable the others', () => {
    expect(() => parseDisabledProtection('fs-refer')).toThrow(/allowDegraded|fsRefer/);
    expect(parseDisabledProtection('net-tcp')).toBe('netTcp');
  });
});

describe('capabilities', () => {
  it('are found with and without CAP_', () => {
    expect(parseCapability('net_bind_service')).toBe('CAP_NET_BIND_SERVICE');
    expect(parseCapability('CAP_CHOWN')).toBe('CAP_CHOWN');
    expect(() => parseCapability('CAP_EVERYTHING')).toThrow(GrammarError);
  });

  it('have the numbers of the kernel', () => {
    // include/uapi/linux/capability.h: CAP_NET_BIND_SERVICE 10, CAP_SYS_ADMIN 21, CAP_CHECKPOINT_RESTORE 40
    expect(capabilityMask(['CAP_NET_BIND_SERVICE', 'CAP_SYS_ADMIN', 'CAP_CHECKPOINT_RESTORE']))
      .toBe(1n << 10n | 1n << 21n | 1n << 40n);
    expect(capabilityMask([])).toBe(0n);
  });
});

describe('system call selections', () => {
  it('allow groups only', () => {
    expect(parseAllowedGroup('sysv_ipc')).toBe('sysv_ipc');
    expect(() => parseAllowedGroup('io_uring_setup')).toThrow(/single system call/);
    expect(() => parseAllowedGroup('mount')).toThrow(/cannot be allowed/);
    expect(() => parseAllowedGroup('nonsense')).toThrow(/Unknown/);
  });

  it('deny names of any architecture and groups', () => {
    for (const name of ['openat', 'open', 'newfstatat', 'fstatat', 'renameat', 'keyring', 'riscv_flush_icache']) {
      expect(parseDeniedSyscall(name)).toBe(name);
    }
    for (const name of ['', 'opnat', 'constructor', '__proto__', 2]) expect(() => parseDeniedSyscall(name)).toThrow(GrammarError);
  });

  it('contradict when something is on both sides', () => {
    expect(contradictions(['sysv_ipc'], ['sysv_ipc'])).toHaveLength(1);
    expect(contradictions(['sysv_ipc'], ['socket', 'shmget'])).toMatchObject([{ index: 1 }]);
    expect(contradictions(['sysv_ipc'], ['mq_open', 'posix_mq'])).toEqual([]);
  });
});

describe('paths', () => {
  it('are bytes, from text, bytes and file: URLs', () => {
    expect(parseFsPath('/ü')).toEqual(bytes('/ü'));
    expect(parseFsPath(new URL('file:///a%20b'))).toEqual(bytes('/a b'));
    const given = Buffer.from([0x2f, 0xff]);
    const parsed = parseFsPath(given);
    given[1] = 0;
    expect(parsed).toEqual(Uint8Array.of(0x2f, 0xff));
    expect(parseFsPath('/' + 'a'.repeat(4094))).toHaveLength(4095);
  });

  it.each(['', 'a\0', '\ud800', '/' + 'a'.repeat(4095), new URL('http://a/b'), new URL('file://host/b'), new URL('file:///a%2fb'), 7, null])(
    'refuse %j', (path) => {
      expect(() => parseFsPath(path)).toThrow(GrammarError);
    });

  it('are shown without losing bytes or keeping control characters', () => {
    expect(showPath(bytes('/a ü'))).toBe('/a ü');
    expect(showPath(Uint8Array.of(0x2f, 0xff, 0x0a, 0x61))).toBe('/\\xff\\x0aa');
    expect(showPath(bytes('/\x1b[0m'))).toBe('/\\x1b[0m');
  });

  it('are optional in a grant only when it says so', () => {
    expect(parsePathGrant('/a')).toEqual({ path: bytes('/a'), optional: false });
    expect(parsePathGrant({ path: '/a' })).toEqual({ path: bytes('/a'), optional: false });
    expect(parsePathGrant({ path: Buffer.from('/a'), optional: true })).toEqual({ path: bytes('/a'), optional: true });
    for (const grant of [{}, { path: '/a', optional: 1 }, { path: '/a', optinal: true }, ['/a'], null]) {
      expect(() => parsePathGrant(grant)).toThrow(GrammarError);
    }
  });
});

describe('whole numbers', () => {
  it('take the ends of their range and nothing past them', () => {
    const parse = wholeNumber(1, 10);
    expect([parse(1), parse(10)]).toEqual([1, 10]);
    for (const value of [0, 11, 1.5, NaN, '1', 1n, null]) expect(() => parse(value)).toThrow(GrammarError);
  });

  it('come from decimal text only', () => {
    expect(numberFromText('64')).toBe(64);
    for (const text of ['', ' 1', '1e3', '0x10', '-1', '1.5', '9'.repeat(16)]) expect(numberFromText(text)).toBe(text);
  });
});

describe('byte sizes', () => {
  it.each([
    ['0', 0n], ['4096', 4096n], [' 1k ', 1024n], ['512M', 512n << 20n], ['1g', 1n << 30n], ['2T', 2n << 40n],
    [7, 7n], [7n, 7n], ['18446744073709551615', (1n << 64n) - 1n], ['16777215T', 16777215n << 40n],
  ])('read %s', (text, bytes) => {
    expect(parseByteSize(text)).toBe(bytes);
  });

  it.each(['', ' ', 'M', '1.5G', '1MB', '1P', '-1', '1 M', '0x10', '18446744073709551616', '16777216T', -1, 1.5, -1n, 1n << 64n, 2 ** 53, null])(
    'refuse %s', (text) => {
      expect(() => parseByteSize(text)).toThrow(GrammarError);
    });

  it('print with the largest unit that divides them, and read back', () => {
    for (const text of ['0', '1', '1023', '1K', '1536M', '2G', '1024T', '5T']) {
      expect(showByteSize(parseByteSize(text))).toBe(text);
      expect(parseByteSize(showByteSize(parseByteSize(text)))).toBe(parseByteSize(text));
    }
  });
});

describe('seeds', () => {
  it.each<[unknown, bigint]>([
    [0, 0n], [42, 42n], [2 ** 53 - 1, 2n ** 53n - 1n], [7n, 7n], ['0', 0n], [' 42 ', 42n], ['0042', 42n], ['18446744073709551615', 2n ** 64n - 1n], [2n ** 64n - 1n, 2n ** 64n - 1n],
  ])('are 64 bits: %s', (value, seed) => {
    expect(parseRandomSeed(value)).toBe(seed);
  });

  it.each([-1, 1.5, NaN, Infinity, 2 ** 53, -1n, 2n ** 64n, '', '-1', '+1', '1e3', '0x10', '1_000', '4 2', 'abc', '18446744073709551616', '9'.repeat(21), null, true, {}, []])(
    'are nothing else: %s', (value) => {
      expect(() => parseRandomSeed(value)).toThrow(GrammarError);
    });
});

describe('times', () => {
  it.each<[unknown, bigint]>([
    ['1970-01-01T00:00:00Z', 0n], ['2000-01-01T00:00:00Z', 946_684_800n * 10n ** 9n], ['2000-01-01 02:00:00+02:00', 946_684_800n * 10n ** 9n],
    ['1999-12-31t19:30:00.25-04:30', 946_684_800n * 10n ** 9n + 250_000_000n], ['2000-01-01T00:00:00.123456789123z', 946_684_800_123_456_789n],
    ['2000-01-01T00:00:00', 946_684_800n * 10n ** 9n], ['2000-01-01', 946_684_800n * 10n ** 9n], [' 2000-02-29T00:00:00Z ', 951_782_400n * 10n ** 9n],
    [new Date(1500), 1_500_000_000n], [0, 0n], [1.5, 1_500_000_000n], [946_684_800.000001, 946_684_800_000_001_000n],
    ['9999-12-31T23:59:59.999999999Z', 253_402_300_800n * 10n ** 9n - 1n],
  ])('are moments: %s', (value, ns) => {
    expect(parseTime(value)).toBe(ns);
  });

  it.each([
    '', 'now', '2000', '2000-13-01T00:00:00Z', '2000-00-10T00:00:00Z', '2001-02-29T00:00:00Z', '2000-01-32T00:00:00Z', '2000-01-01T24:00:00Z', '2000-01-01T00:60:00Z',
    '2000-01-01T00:00:60Z', '2000-01-01T00:00Z', '2000-01-01T00:00:00+24:00', '2000-01-01T00:00:00 UTC', '2000-01-01Z00', '946684800',
    '1969-12-31T23:59:59Z', '1970-01-01T00:00:00+01:00', -1, NaN, Infinity, 1e12, new Date(NaN), new Date(-1), null, true, 5n, {},
  ])('are refused: %s', (value) => {
    expect(() => parseTime(value)).toThrow(GrammarError);
  });

  it('need a zone where they are text alone', () => {
    expect(checkZone('2000-01-01T00:00:00Z')).toBe('2000-01-01T00:00:00Z');
    for (const text of ['2000-01-01T00:00:00', '2000-01-01']) expect(() => checkZone(text)).toThrow(GrammarError);
  });
});

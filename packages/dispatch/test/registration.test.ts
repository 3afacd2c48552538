import { allow, AUDIT_ARCH, arg, compileFilter, simulate, syscallNames, userNotif, type ArgCondition, type Rule } from '@sandlock/bpf';
import { afterEach, describe, expect, it } from 'vitest';

import { action, DispatchTable, HandlerError, on, Supervisor, Syscall, type Handler, type HandlerBinding } from '../src/index.js';
import { FakeListener } from '../src/testing.js';
import { closeAll, supervised } from './supervised.js';

afterEach(closeAll);

const pass: Handler = () => action.continue();

function codeOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error instanceof HandlerError || error instanceof TypeError ? (error as { code?: string }).code : error;
  }
  return undefined;
}

describe('Syscall', () => {
  it('resolves names in libc spelling and numbers in the exact table', () => {
    expect(Syscall.fromName('openat', 'x86_64')).toMatchObject({ nr: 257, name: 'openat', arch: 'x86_64' });
    expect(Syscall.fromName('newfstatat', 'aarch64').nr).toBe(79);
    expect(Syscall.checked(0, 'x86_64').name).toBe('read');
  });

  it.each([
    ['a negative number', () => Syscall.checked(-5), 'ERR_SANDLOCK_HANDLER_NEGATIVE'],
    ['an unknown number', () => Syscall.checked(99999), 'ERR_SANDLOCK_HANDLER_UNKNOWN_NUMBER'],
    ['a hole in the table', () => Syscall.checked(340, 'x86_64'), 'ERR_SANDLOCK_HANDLER_UNKNOWN_NUMBER'],
    ['an unknown name', () => Syscall.fromName('frobnicate'), 'ERR_SANDLOCK_HANDLER_UNKNOWN_NAME'],
    ['a property of objects', () => Syscall.fromName('constructor'), 'ERR_SANDLOCK_HANDLER_UNKNOWN_NAME'],
    ['a name of other architectures', () => Syscall.fromName('open', 'aarch64'), 'ERR_SANDLOCK_HANDLER_UNKNOWN_NAME'],
    ['a numeric string', () => Syscall.from('63'), 'ERR_SANDLOCK_HANDLER_UNKNOWN_NAME'],
    ['NaN', () => Syscall.checked(NaN), 'ERR_SANDLOCK_HANDLER_TYPE'],
    ['a fraction', () => Syscall.checked(1.5), 'ERR_SANDLOCK_HANDLER_TYPE'],
    ['a boolean', () => Syscall.from(true as unknown as number), 'ERR_SANDLOCK_HANDLER_TYPE'],
    ['null', () => Syscall.from(null as unknown as number), 'ERR_SANDLOCK_HANDLER_TYPE'],
  ])('refuses %s', (_, make, code) => {
    expect(codeOf(make)).toBe(code);
  });
});

describe('registration', () => {
  it.each<[string, unknown]>([
    ['undefined', undefined], ['null', null], ['a string', 'x'], ['an object without handle', {}],
    ['an object whose handle is no function', { handle: 1 }],
    ['an unknown exception policy', { handle: pass, onException: 'allow' }],
    ['a dispose that is no function', { handle: pass, dispose: 1 }],
  ])('refuses %s as a handler', (_, handler) => {
    const table = new DispatchTable({ arch: 'x86_64' });
    expect(codeOf(() => table.on('uname', handler as Handler))).toBe('ERR_SANDLOCK_HANDLER_TYPE');
    expect(codeOf(() => on('uname', handler as Handler))).toBe('ERR_SANDLOCK_HANDLER_TYPE');
    expect(table.registrations()).toEqual([]);
  });

  it('refuses a call on the blocklist by number, and takes its neighbour', () => {
    const table = new DispatchTable({ arch: 'x86_64', blocklist: new Set([165]) });
    expect(() => table.on('mount', pass)).toThrowError(/mount \(165\)/);
    expect(codeOf(() => table.on(165, pass))).toBe('ERR_SANDLOCK_HANDLER_BLOCKLISTED');
    table.on('umount2', pass);
    expect(table.registrations().map(({ name }) => name)).toEqual(['umount2']);
  });

  it('leaves nothing of a list behind when one entry is wrong', () => {
    const table = new DispatchTable({ arch: 'x86_64' });
    expect(codeOf(() => table.addAll([on('uname', pass), on('nope', pass)]))).toBe('ERR_SANDLOCK_HANDLER_UNKNOWN_NAME');
    expect(codeOf(() => table.addAll([on('uname', pass), null as unknown as HandlerBinding]))).toBe('ERR_SANDLOCK_HANDLER_TYPE');
    table.addAll([on('getpid', pass)]);
    expect(table.registrations().map(({ name }) => name)).toEqual(['getpid']);
  });

  it('takes 4096 entries and no more', () => {
    const entries = (count: number) => Array.from({ length: count }, () => on('uname', pass));
    expect(codeOf(() => new DispatchTable({ arch: 'x86_64' }).addAll(entries(4097)))).toBe('ERR_SANDLOCK_HANDLER_TOO_MANY');
    const table = new DispatchTable({ arch: 'x86_64' }).addAll(entries(4096));
    expect(codeOf(() => table.on('uname', pass))).toBe('ERR_SANDLOCK_HANDLER_TOO_MANY');
  });

  it('reads an endless list only as far as the limit', () => {
    function* endless(): Generator<HandlerBinding> {
      for (;;) yield on('uname', pass);
    }
    expect(codeOf(() => new DispatchTable({ arch: 'x86_64' }).addAll(endless()))).toBe('ERR_SANDLOCK_HANDLER_TOO_MANY');
  });

  it('ends when the table is read for a filter or a supervisor', () => {
    const table = new DispatchTable({ arch: 'x86_64' }).on('uname', pass);
    table.registrations();
    expect(codeOf(() => table.on('getpid', pass))).toBe('ERR_SANDLOCK_HANDLER_SEALED');
    expect(codeOf(() => table.family({ name: 'late', handlers: { getpid: pass } }))).toBe('ERR_SANDLOCK_HANDLER_SEALED');
    const other = new DispatchTable({ arch: 'x86_64' });
    void new Supervisor({ listener: new FakeListener('x86_64'), table: other });
    expect(codeOf(() => other.on('getpid', pass))).toBe('ERR_SANDLOCK_HANDLER_SEALED');
  });

  it.each<[string, unknown]>([
    ['an index of 6', { index: 6, op: 'eq', value: 0n, width: 64 }],
    ['an unknown operator', { index: 0, op: 'is', value: 0n, width: 64 }],
    ['a number as value', { index: 0, op: 'eq', value: 0, width: 64 }],
    ['no object', 'always'],
  ])('refuses a condition with %s', (_, when) => {
    const table = new DispatchTable({ arch: 'x86_64' });
    expect(codeOf(() => table.on('uname', pass, { when: when as ArgCondition }))).toBe('ERR_SANDLOCK_HANDLER_CONDITION');
    expect(table.registrations()).toEqual([]);
  });
});

describe('an optional binding', () => {
  it('is left out where the call is missing or denied, and registered elsewhere', () => {
    const names = (arch: 'x86_64' | 'aarch64', blocklist: number[]) => new DispatchTable({ arch, blocklist: new Set(blocklist) })
      .addAll([on('open', pass, { optional: true }), on('openat', pass, { optional: true })]).registrations().map(({ name }) => name);
    expect(names('x86_64', [])).toEqual(['open', 'openat']);
    expect(names('aarch64', [])).toEqual(['openat']);
    expect(names('x86_64', [257])).toEqual(['open']);
  });

  it('is refused for a call that exists nowhere, and for a handler that is none', () => {
    const table = new DispatchTable({ arch: 'aarch64' });
    expect(codeOf(() => table.on('frobnicate', pass, { optional: true }))).toBe('ERR_SANDLOCK_HANDLER_UNKNOWN_NAME');
    expect(codeOf(() => table.on(99999, pass, { optional: true }))).toBe('ERR_SANDLOCK_HANDLER_UNKNOWN_NUMBER');
    expect(codeOf(() => table.on('open', {} as Handler, { optional: true }))).toBe('ERR_SANDLOCK_HANDLER_TYPE');
  });
});

describe('registrations', () => {
  it('list every call once, by number, with the conditions under which anybody is asked', () => {
    const table = new DispatchTable({ arch: 'x86_64' })
      .family({ name: 'net', handlers: { recvfrom: { handler: pass, when: arg(4).ne(0) }, close: pass } })
      .on('recvfrom', pass, { when: [arg(0).eq(3), arg(1).eq(4)] })
      .on('close', pass, { when: arg(0).eq(3) })
      .on('uname', pass, { when: [] });
    expect(table.registrations()).toEqual([
      { nr: 3, name: 'close', when: undefined },
      { nr: 45, name: 'recvfrom', when: [[arg(4).ne(0)], [arg(0).eq(3), arg(1).eq(4)]] },
      { nr: 63, name: 'uname', when: undefined },
    ]);
  });
});

describe('the filter that is read off a table', () => {
  it.each(['x86_64', 'aarch64', 'riscv64'] as const)('of %s notifies what is registered, when somebody is asked, and nothing else', (arch) => {
    const names = syscallNames(arch);
    const numbers = names.map((name) => Syscall.fromName(name, arch).nr);
    const registered = names.filter((_, i) => i % 3 !== 0);
    const table = new DispatchTable({ arch });
    for (const [i, name] of registered.entries()) table.on(name, pass, i % 2 === 0 ? {} : { when: arg(2).eq(i) });
    const rules = table.registrations().flatMap(({ nr, when }): Rule[] => (
      when === undefined ? [{ syscall: nr, action: userNotif() }]
        : when.map((conditions) => ({ syscall: nr, when: [...conditions], action: userNotif() }))));
    const filter = compileFilter({ defaultAction: allow(), architectures: [{ arch, rules }] });
    const notified = (nr: number, third: number) => simulate(filter, { nr, arch: AUDIT_ARCH[arch], args: [0n, 0n, BigInt(third)] })
      .action.type === 'userNotif';
    const expected = new Map(registered.map((name, i) => [Syscall.fromName(name, arch).nr, i]));
    for (const nr of numbers) {
      const i = expected.get(nr);
      expect(notified(nr, i ?? 1), `${nr}`).toBe(i !== undefined);
      expect(notified(nr, 100_000), `${nr}`).toBe(i !== undefined && i % 2 === 0);
    }
  });
});

describe('a family', () => {
  const spellings = { name: 'opens', handlers: { open: pass, openat: pass } };

  it('is registered without what the architecture lacks', () => {
    const names = (arch: 'x86_64' | 'aarch64') => new DispatchTable({ arch }).family(spellings).registrations().map(({ name }) => name);
    expect(names('x86_64')).toEqual(['open', 'openat']);
    expect(names('aarch64')).toEqual(['openat']);
  });

  it('is refused for a name that no architecture has, as a whole', () => {
    const table = new DispatchTable({ arch: 'x86_64' });
    expect(codeOf(() => table.family({ name: 'typo', handlers: { openat: pass, opennat: pass } })))
      .toBe('ERR_SANDLOCK_HANDLER_UNKNOWN_NAME');
    expect(table.registrations()).toEqual([]);
  });

  it('is refused for an entry that is no handler, also where the architecture lacks the call', () => {
    const table = new DispatchTable({ arch: 'aarch64' });
    expect(codeOf(() => table.family({ name: 'bad', handlers: { open: {} as Handler } }))).toBe('ERR_SANDLOCK_HANDLER_TYPE');
  });

  it('leaves out what the filter denies', () => {
    const table = new DispatchTable({ arch: 'x86_64', blocklist: new Set([2]) }).family(spellings);
    expect(table.registrations().map(({ name }) => name)).toEqual(['openat']);
  });
});

describe('every system call of the architecture', () => {
  it.each(['x86_64', 'aarch64', 'riscv64'] as const)('of %s can be registered, is notified and answered', async (arch) => {
    const names = syscallNames(arch);
    expect(names.length).toBeGreaterThan(300);
    const table = new DispatchTable({ arch });
    for (const name of names) table.on(name, ({ nr }) => action.returnValue(nr));
    const registered = table.registrations();
    expect(new Set(registered.map(({ nr }) => nr))).toEqual(new Set(names.map((name) => Syscall.fromName(name, arch).nr)));
    const { listener } = supervised(table);
    for (const { nr } of registered) {
      const call = listener.notify(nr, { auditArch: AUDIT_ARCH[arch] });
      expect(await call.answered).toEqual({ kind: 'returnValue', value: BigInt(nr) });
    }
  });
});

import { describe, expect, it } from 'vitest';

import {
  type Action, allow, arg, type ArgCondition, compileFilter, errno, type FilterDescription, nativeArch, trace, trap,
} from '../src/index.js';
import { thrown } from './thrown.js';

const description = (rules: unknown, more: object = {}): FilterDescription =>
  ({ defaultAction: allow(), architectures: [{ arch: 'x86_64', rules, ...more }] }) as FilterDescription;
const refused = (rules: unknown, more: object = {}) => thrown(() => compileFilter(description(rules, more)));

describe('compileFilter refuses', () => {
  it.each<[string, unknown, string, string]>([
    ['an unknown name', [{ syscall: 'raed', action: allow() }], 'SYSCALL', 'architectures[0].rules[0].syscall'],
    ['a property of Object', [{ syscall: 'constructor', action: allow() }], 'SYSCALL', 'architectures[0].rules[0].syscall'],
    ['__proto__', [{ syscall: '__proto__', action: allow() }], 'SYSCALL', 'architectures[0].rules[0].syscall'],
    ['a negative number', [{ syscall: -1, action: allow() }], 'SYSCALL', 'architectures[0].rules[0].syscall'],
    ['half a number', [{ syscall: 1.5, action: allow() }], 'SYSCALL', 'architectures[0].rules[0].syscall'],
    ['a number beyond 32 bits', [{ syscall: 2 ** 32, action: allow() }], 'SYSCALL', 'architectures[0].rules[0].syscall'],
    ['an x32 number on x86_64', [{ syscall: 0x40000000, action: allow() }], 'SYSCALL', 'architectures[0].rules[0].syscall'],
    ['no name at all', [{ action: allow() }], 'SYSCALL', 'architectures[0].rules[0].syscall'],
    ['rules that are no list', {}, 'DESCRIPTION', 'architectures[0].rules'],
    ['a rule that is no object', [7], 'DESCRIPTION', 'architectures[0].rules[0]'],
    ['conditions that are no list', [{ syscall: 1, when: {}, action: allow() }], 'DESCRIPTION', 'architectures[0].rules[0].when'],
    ['no action', [{ syscall: 1 }], 'ACTION', 'architectures[0].rules[0].action'],
    ['an unknown action', [{ syscall: 1, action: { type: 'deny' } }], 'ACTION', 'architectures[0].rules[0].action'],
    ['an errno the kernel would clamp', [{ syscall: 1, action: { type: 'errno', errno: 4096 } }], 'ACTION', 'architectures[0].rules[0].action.errno'],
    ['trap data beyond 16 bits', [{ syscall: 1, action: { type: 'trap', data: 65536 } }], 'ACTION', 'architectures[0].rules[0].action.data'],
    ['a rule behind an unconditional one', [{ syscall: 'read', action: allow() }, { syscall: 0, when: [arg(0).eq(1)], action: errno(1) }],
      'CONFLICT', 'architectures[0].rules[1]'],
    ['a second unconditional rule', [{ syscall: 'read', action: allow() }, { syscall: 'read', action: allow() }],
      'CONFLICT', 'architectures[0].rules[1]'],
  ])('%s', (_, rules, code, path) => {
    expect(refused(rules)).toMatchObject({ code: `ERR_SANDLOCK_FILTER_${code}`, path });
  });

  it.each<[string, object, string]>([
    ['argument 6', { index: 6 }, 'index'],
    ['argument -1', { index: -1 }, 'index'],
    ['an unknown comparison', { op: 'like' }, 'op'],
    ['a width of 16', { width: 16 }, 'width'],
    ['a value beyond 64 bits', { value: 1n << 64n }, 'value'],
    ['a value far below zero', { value: -(1n << 63n) - 1n }, 'value'],
    ['a value beyond 32 bits at width 32', { value: 1n << 32n, width: 32 }, 'value'],
    ['a number where a bigint belongs', { value: 1 }, 'value'],
    ['a negative value in an unsigned ordering', { op: 'lt', value: -1n }, 'value'],
    ['a signed value beyond 63 bits', { op: 'lt', value: 1n << 63n, signed: true }, 'value'],
    ['a mask where there is none', { mask: 1n }, 'mask'],
    ['maskedEq without a mask', { op: 'maskedEq' }, 'mask'],
    ['a mask beyond 64 bits', { op: 'maskedEq', mask: 1n << 64n }, 'mask'],
    ['a value outside the mask, which never holds', { op: 'maskedEq', mask: 6n, value: 1n }, 'value'],
  ])('%s', (_, change, field) => {
    const good: ArgCondition = { index: 0, op: 'eq', value: 1n, width: 64 };
    expect(() => compileFilter(description([{ syscall: 1, when: [good], action: errno(1) }]))).not.toThrow();
    expect(refused([{ syscall: 1, when: [good, { ...good, ...change }], action: errno(1) }]))
      .toMatchObject({ code: 'ERR_SANDLOCK_FILTER_ARGUMENT', path: `architectures[0].rules[0].when[1].${field}` });
  });

  it('an unknown, repeated or missing architecture', () => {
    const compile = (architectures: unknown) =>
      thrown(() => compileFilter({ defaultAction: allow(), architectures } as FilterDescription));
    expect(compile([{ arch: 'vax', rules: [] }])).toMatchObject({ code: 'ERR_SANDLOCK_FILTER_ARCH', path: 'architectures[0].arch' });
    expect(compile([{ arch: 'arm', rules: [] }, { arch: 'arm', rules: [] }])).toMatchObject({ code: 'ERR_SANDLOCK_FILTER_ARCH', path: 'architectures[1].arch' });
    expect(compile([])).toMatchObject({ code: 'ERR_SANDLOCK_FILTER_ARCH' });
    expect(compile('x86_64')).toMatchObject({ code: 'ERR_SANDLOCK_FILTER_DESCRIPTION', path: 'architectures' });
    expect(thrown(() => nativeArch('mips'))).toMatchObject({ code: 'ERR_SANDLOCK_FILTER_ARCH' });
    expect(nativeArch('x64')).toBe('x86_64');
  });

  it('an action for x32 that would decide nothing', () => {
    expect(thrown(() => compileFilter({ defaultAction: allow(), architectures: [
      { arch: 'x86_64', rules: [], x32Action: errno(1) }, { arch: 'x32', rules: [] }] }))).toMatchObject({ code: 'ERR_SANDLOCK_FILTER_CONFLICT' });
    expect(thrown(() => compileFilter({ defaultAction: allow(), architectures: [
      { arch: 'aarch64', rules: [], x32Action: errno(1) }] }))).toMatchObject({ code: 'ERR_SANDLOCK_FILTER_CONFLICT' });
  });

  it('x32 numbers without bit 30', () => {
    expect(thrown(() => compileFilter({ defaultAction: allow(), architectures: [{ arch: 'x32', rules: [{ syscall: 0, action: errno(1) }] }] })))
      .toMatchObject({ code: 'ERR_SANDLOCK_FILTER_SYSCALL' });
  });

  it('names where it was given no table', () => {
    expect(thrown(() => compileFilter(description([{ syscall: 'read', action: errno(1) }]), { tables: [] })))
      .toMatchObject({ code: 'ERR_SANDLOCK_FILTER_ARCH' });
    expect(() => compileFilter(description([{ syscall: 0, action: errno(1) }]), { tables: [] })).not.toThrow();
  });
});

describe('the factories refuse', () => {
  it.each<[string, () => ArgCondition | Action, string]>([
    ['an argument index of 6', () => arg(6).eq(1), 'ARGUMENT'],
    ['half an argument', () => arg(0.5).eq(1), 'ARGUMENT'],
    ['a number that is not exact', () => arg(0).eq(2 ** 53), 'ARGUMENT'],
    ['half a value', () => arg(0).eq(0.5), 'ARGUMENT'],
    ['NaN', () => arg(0).lt(NaN), 'ARGUMENT'],
    ['a negative unsigned bound', () => arg(0).lt(-1), 'ARGUMENT'],
    ['an errno of 4096', () => errno(4096), 'ACTION'],
    ['an unknown errno name', () => errno('ENOTHING' as 'EPERM'), 'ACTION'],
    ['trap data of 65536', () => trap(65536), 'ACTION'],
    ['trace data of -1', () => trace(-1), 'ACTION'],
  ])('%s', (_, make, code) => {
    expect(thrown(make)).toMatchObject({ code: `ERR_SANDLOCK_FILTER_${code}` });
  });

  it('none of what is at the edge of the allowed', () => {
    expect(arg(5).signed.ge(-(2n ** 63n))).toEqual({ index: 5, op: 'ge', value: -(2n ** 63n), width: 64, signed: true });
    expect(arg(0).eq(2n ** 64n - 1n).value).toBe(2n ** 64n - 1n);
    expect(errno(4095)).toEqual({ type: 'errno', errno: 4095 });
    expect(trace(65535)).toEqual({ type: 'trace', data: 65535 });
  });
});

import { compileFilter, constantAllows, simulate } from '@sandlock/bpf';
import { describe, expect, it } from 'vitest';

import { parseRulesJson } from '../../src/commands/bpf/rules-json.js';

const rules = (value: unknown) => parseRulesJson(typeof value === 'string' ? value : JSON.stringify(value), 'x86_64');
const oneRule = (rule: unknown) => () => compileFilter(rules({ defaultAction: 'allow', rules: [rule] })!);

describe('rules as JSON', () => {
  it('become the filter that they describe', () => {
    const filter = compileFilter(rules({
      defaultAction: 'errno(ENOSYS)', badArchAction: 'KILL_THREAD',
      architectures: [{
        arch: 'x86_64', x32Action: 'trap(3)', rules: [
          { syscall: 'read', action: 'allow' },
          { syscall: 16, when: [{ arg: 1, width: 32, op: 'eq', value: '0x5412' }], action: 'errno(EPERM)' },
          { syscall: 'ioctl', when: [{ arg: 0, op: 'maskedEq', mask: '0xff00000000000000', value: '0x1200000000000000' }], action: 'Trace(7)' },
          { syscall: 'ioctl', when: [{ arg: 2, op: 'lt', value: -1, signed: true }], action: 'user_notif' },
          { syscall: 'ioctl', action: 'log' },
        ],
      }],
    })!);
    const ioctl = (...args: (number | bigint)[]) => simulate(filter, { nr: 16, arch: 'x86_64', args }).action;
    expect(constantAllows(filter, 'x86_64')).toEqual(['read']);
    expect(ioctl(0, 0x5412n | 1n << 32n)).toEqual({ type: 'errno', errno: 1 });
    expect(ioctl(0x12n << 56n)).toEqual({ type: 'trace', data: 7 });
    expect(ioctl(0, 0, -2)).toEqual({ type: 'userNotif' });
    expect(ioctl(0, 0, -1)).toEqual({ type: 'log' });
    expect(simulate(filter, { nr: 1, arch: 'x86_64' }).action).toEqual({ type: 'errno', errno: 38 });
    expect(simulate(filter, { nr: 0x40000000, arch: 'x86_64' }).action).toEqual({ type: 'trap', data: 3 });
    expect(simulate(filter, { nr: 0, arch: 'aarch64' }).action).toEqual({ type: 'killThread' });
  });

  it('are for the architecture asked for where they name none', () => {
    const text = JSON.stringify({ defaultAction: 'allow', rules: [{ syscall: 'uname', action: 'kill_process' }] });
    expect(parseRulesJson(text, 'aarch64')!.architectures.map(({ arch }) => arch)).toEqual(['aarch64']);
  });

  it('are told from profiles', () => {
    expect(rules({ defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_X86_64'], syscalls: [] })).toBeUndefined();
    expect(rules({ linux: { seccomp: {} } })).toBeUndefined();
    expect(rules('{ "rules"')).toBeUndefined();
  });

  it.each<[string, unknown, string]>([
    ['an unknown key', { syscall: 'read', wen: [], action: 'allow' }, 'rules[0].wen'],
    ['an unknown key of a condition', { syscall: 'read', when: [{ argument: 1, op: 'eq', value: 0 }], action: 'allow' }, 'rules[0].when[0].argument'],
    ['no action', { syscall: 'read' }, 'rules[0].action'],
    ['an unknown action', { syscall: 'read', action: 'deny' }, 'rules[0].action'],
    ['an unknown errno', { syscall: 'read', action: 'errno(ENOPE)' }, 'rules[0].action'],
    ['an errno that does not fit', { syscall: 'read', action: 'errno(4096)' }, 'architectures[0].rules[0].action.errno'],
    ['an unknown name', { syscall: 'reed', action: 'log' }, 'architectures[0].rules[0].syscall'],
    ['argument 6', { syscall: 'read', when: [{ arg: 6, op: 'eq', value: 0 }], action: 'log' }, 'architectures[0].rules[0].when[0].index'],
    ['no number', { syscall: 'read', when: [{ arg: 1, op: 'eq', value: 'x' }], action: 'log' }, 'rules[0].when[0].value'],
    ['a number that a double does not hold', { syscall: 'read', when: [{ arg: 1, op: 'eq', value: 2 ** 60 }], action: 'log' }, 'rules[0].when[0].value'],
    ['a value beyond 64 bits', { syscall: 'read', when: [{ arg: 1, op: 'eq', value: `0x1${'0'.repeat(16)}` }], action: 'log' }, 'architectures[0].rules[0].when[0].value'],
    ['a list for an object', [], 'rules[0]'],
  ])('refuse %s, with the place', (_, rule, path) => {
    expect(oneRule({ syscall: 'read', action: 'log' })).not.toThrow();
    expect(oneRule(rule)).toThrow(expect.objectContaining({ name: 'FilterError', path }));
  });

  it('refuse a key that stands twice, at any depth', () => {
    expect(() => rules('{"defaultAction": "allow", "rules": [], "defaultAction": "log"}')).toThrow(/Line 1.*"defaultAction".*second/);
    expect(() => rules('{"defaultAction": "allow",\n "rules": [{"syscall": "read", "action": "log", "action": "allow"}]}')).toThrow(/Line 2.*"action"/);
    expect(() => rules('{"defaultAction": "allow", "rules": [{"syscall": "read", "action": "log", "\\u0061ction": "allow"}]}')).toThrow(/second/);
    expect(rules('{"defaultAction": "allow", "rules": [{"syscall": "read", "action": "log"}, {"syscall": "write", "action": "log"}]}')).toBeDefined();
  });

  it('refuse rules in two places', () => {
    expect(() => rules({ defaultAction: 'allow', rules: [], architectures: [] })).toThrow(/not in both/);
  });
});

import { describe, expect, it } from 'vitest';

import { ConfinementError } from '../src/errors.js';
import { accessForTarget, knownFsRights } from '../src/landlock/access-rights.js';
import { landlockPlan, type LandlockPlan } from '../src/landlock/landlock-plan.js';
import { protectionReports, protectionStatuses } from '../src/landlock/protection-status.js';
import { MIN_LANDLOCK_ABI, PROTECTIONS, protectionFlagName } from '../src/landlock/protections.js';
import type { SandboxOptions } from '../src/options/option-table.js';
import { buildPolicy } from '../src/policy/build-policy.js';

const ALL = [...PROTECTIONS];
const plan = (options: SandboxOptions, abi: number, network?: boolean): LandlockPlan =>
  landlockPlan(buildPolicy(options, 'x86_64').policy, abi, network === undefined ? {} : { network });

function errorOf(run: () => unknown): ConfinementError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfinementError);
    return error as ConfinementError;
  }
  return expect.unreachable() as never;
}

describe('file system rights', () => {
  // include/uapi/linux/landlock.h and the ABI history in landlock(7), written out.
  it.each([
    [1, 0x1fffn], [2, 0x3fffn], [3, 0x7fffn], [4, 0x7fffn], [5, 0xffffn], [6, 0xffffn], [7, 0xffffn], [8, 0xffffn],
    [9, 0x1ffffn], [10, 0x1ffffn], [11, 0x1ffffn], [99, 0x1ffffn],
  ])('of ABI %i are 0x%x', (abi, rights) => {
    expect(knownFsRights(abi)).toBe(rights);
    expect(plan({ allowDegraded: ALL }, abi).handledFs).toBe(rights);
  });

  it.each(Array.from({ length: 12 }, (_, i) => i + 1))('of rules never leave what ABI %i handles', (abi) => {
    const { handledFs, pathRules } = plan({ fsReadable: ['/r'], fsWritable: ['/w'], allowDegraded: ALL }, abi);
    for (const { access } of pathRules) expect(access & ~handledFs).toBe(0n);
    expect(pathRules.map(({ from, access }) => [from, access])).toEqual([['fsWritable[0]', handledFs], ['fsReadable[0]', 0xdn]]);
  });

  it('leave out what is disabled, also where the kernel has it', () => {
    expect(plan({ disable: ['fsTruncate'] }, 7).handledFs).toBe(0xbfffn);
    expect(plan({ disable: ['fsIoctlDev'] }, 7).handledFs).toBe(0x7fffn);
    expect(plan({ disable: ['fsIoctlDev'], fsWritable: ['/w'] }, 7).pathRules[0]!.access).toBe(0x7fffn);
  });

  it('on a file are those that a file can have', () => {
    expect(accessForTarget(0xffffn, false)).toBe(0xc007n);
    expect(accessForTarget(0x1ffffn, false)).toBe(0x1c007n);
    expect(accessForTarget(0xdn, false)).toBe(0x5n);
    expect(accessForTarget(0xffffn, true)).toBe(0xffffn);
  });
});

describe('protections', () => {
  it('are all there from ABI 6 on', () => {
    expect(MIN_LANDLOCK_ABI).toBe(6);
    expect(Object.values(plan({}, 6).statuses)).toEqual(Array(6).fill('active'));
    expect(plan({}, 6).scoped).toBe(3n);
  });

  it.each([
    ['fsRefer', 2], ['fsTruncate', 3], ['netTcp', 4], ['fsIoctlDev', 5], ['signalScope', 6], ['abstractUnixSocketScope', 6],
  ] as const)('%s needs ABI %i: strict refuses, degradable does without, disabled stays off', (protection, abi) => {
    const others = ALL.filter((other) => other !== protection);
    const error = errorOf(() => plan({ allowDegraded: others }, abi - 1));
    expect(error).toMatchObject({
      code: 'ERR_SANDLOCK_PROTECTION_UNAVAILABLE', protection, requiredAbi: abi, hostAbi: abi - 1,
    });
    expect(error.message).toContain(protectionFlagName(protection));
    expect(plan({ allowDegraded: ALL }, abi - 1).statuses[protection]).toBe('degraded');
    expect(plan({ allowDegraded: ALL }, abi).statuses[protection]).toBe('active');
    if (protection === 'fsRefer') return;
    for (const host of [abi - 1, abi]) {
      expect(plan({ allowDegraded: others, disable: [protection] }, host).statuses[protection]).toBe('disabled');
    }
  });

  it('that are missing are all named in one error', () => {
    const error = errorOf(() => plan({}, 4));
    expect(error).toMatchObject({ protection: 'fsIoctlDev', requiredAbi: 5, hostAbi: 4 });
    expect(error.message).toMatch(/fsIoctlDev.*signalScope.*abstractUnixSocketScope/);
  });

  it('scopes are asked for one by one', () => {
    expect(plan({ disable: ['signalScope'] }, 7).scoped).toBe(1n);
    expect(plan({ disable: ['abstractUnixSocketScope'] }, 7).scoped).toBe(2n);
    expect(plan({ allowDegraded: ALL }, 5).scoped).toBe(0n);
  });

  it('are reported with their status, unavailable ones included', () => {
    const { policy } = buildPolicy({ disable: ['netTcp'], allowDegraded: ['signalScope'] }, 'x86_64');
    expect(protectionReports(protectionStatuses(policy.protections, 5)).map(({ protection, status }) => `${protection} ${status}`))
      .toEqual(['fsRefer active', 'fsTruncate active', 'netTcp disabled', 'fsIoctlDev active', 'signalScope degraded',
        'abstractUnixSocketScope unavailable']);
  });
});

describe('without Landlock', () => {
  it.each([0, -1, -38, NaN])('an ABI of %d is refused, whatever may be degraded', (abi) => {
    expect(errorOf(() => plan({ allowDegraded: ALL }, abi)).code).toBe('ERR_SANDLOCK_LANDLOCK_UNAVAILABLE');
  });
});

describe('TCP', () => {
  it('is handled without rules when nothing is allowed', () => {
    expect(plan({}, 7)).toMatchObject({ handledNet: 3n, portRules: [], tcp: 'landlock' });
  });

  it('has one rule a port, with both rights where both are given', () => {
    expect(plan({ netAllow: [':443', ':80'], netAllowBind: [80, 0] }, 7)).toMatchObject({
      handledNet: 3n, portRules: [{ port: 0, access: 1n }, { port: 80, access: 3n }, { port: 443, access: 2n }],
    });
  });

  it('leaves a right for every port unhandled, and its rules out', () => {
    expect(plan({ netAllow: ['*:*', ':80'], netAllowBind: [80] }, 7))
      .toMatchObject({ handledNet: 1n, portRules: [{ port: 80, access: 1n }] });
    expect(plan({ netAllow: [':80'], netAllowBind: ['*'] }, 7))
      .toMatchObject({ handledNet: 2n, portRules: [{ port: 80, access: 2n }] });
    expect(plan({ netAllow: ['*'], netAllowBind: ['*'] }, 7)).toMatchObject({ handledNet: 0n, portRules: [] });
  });

  it('takes ports at the ends of their range', () => {
    expect(plan({ netAllowBind: ['0-65535'] }, 7).portRules).toHaveLength(65536);
  });

  it('without netTcp becomes no sockets when nothing is allowed, never an open network', () => {
    for (const options of [{ disable: ['netTcp'] }, { allowDegraded: ALL }]) {
      expect(plan(options, 3 + ('disable' in options ? 4 : 0))).toMatchObject({ handledNet: 0n, portRules: [], tcp: 'noSockets' });
    }
  });

  it('without netTcp is open only when everything is allowed', () => {
    expect(plan({ allowDegraded: ALL, netAllow: ['*'], netAllowBind: ['*'] }, 3)).toMatchObject({ handledNet: 0n, tcp: 'open' });
    for (const options of [{ netAllow: [':1'] }, { netAllow: ['*'] }, { netAllowBind: [1] }, { netAllowBind: ['*'] }]) {
      expect(errorOf(() => plan({ allowDegraded: ALL, ...options }, 3)))
        .toMatchObject({ code: 'ERR_SANDLOCK_PROTECTION_UNAVAILABLE', protection: 'netTcp', requiredAbi: 4, hostAbi: 3 });
      expect(plan({ allowDegraded: ALL, ...options }, 4).tcp).toBe('landlock');
    }
  });

  it('is left alone on request', () => {
    expect(plan({}, 7, false)).toMatchObject({ handledNet: 0n, portRules: [], scoped: 3n });
  });
});

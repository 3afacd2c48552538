/** check() on this machine, and on it with something taken away. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

import { check, type CheckReport } from '../../../src/index.js';
import { targets } from './support.js';

/** What it says under a filter that refuses these calls; without privilege a filter takes no_new_privs. */
function checkedWithout(refused: Record<string, { error: string; flag?: number }>): CheckReport {
  const { stdout, stderr } = spawnSync('setpriv', ['--no-new-privs', process.execPath, `${targets}/checked.mjs`, JSON.stringify(refused)], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as CheckReport;
}

const failed = ({ steps }: CheckReport) => steps.filter(({ ok, required }) => !ok && required).map(({ name }) => name);

describe('check()', () => {
  it('finds that this machine can, step by step', async () => {
    const report = await check();
    expect(failed(report)).toEqual([]);
    expect(report.supported).toBe(true);
    expect(report.steps.map(({ name }) => name)).toEqual([
      'platform', 'landlock', 'confinement', 'supervisor', 'memory', 'children', 'pidfd_getfd', 'user namespace',
    ]);
    expect(failed(checkedWithout({ sethostname: { error: 'EPERM' } }))).toEqual([]);
  });

  it.each<[string, Parameters<typeof checkedWithout>[0], string[], RegExp]>([
    ['Landlock', { landlock_create_ruleset: { error: 'EOPNOTSUPP' } }, ['landlock'], /lsm=/],
    ['a listener', { seccomp: { error: 'EINVAL', flag: 1 << 3 } }, ['supervisor'], /EINVAL.*noSupervisor/],
    ['filters', { seccomp: { error: 'EPERM' } }, ['confinement', 'supervisor'], /EPERM.*seccomp\(2\)/],
    ['close_range(2)', { close_range: { error: 'ENOSYS' } }, ['confinement', 'supervisor'], /close_range/],
    ['reading memory', { process_vm_readv: { error: 'EPERM' } }, ['memory'], /ptrace_scope/],
  ])('says which steps fail without %s, and what to do', (_, refused, names, advice) => {
    const report = checkedWithout(refused);
    expect(report.supported).toBe(false);
    expect(failed(report)).toEqual(names);
    for (const { ok, required, detail, hint } of report.steps) {
      if (required && !ok) expect(`${detail} ${hint ?? ''}`).toMatch(advice);
    }
  });

  it('says what is only a feature less', () => {
    const report = checkedWithout({ pidfd_getfd: { error: 'EPERM' } });
    expect(report.supported).toBe(true);
    expect(report.steps.find(({ name }) => name === 'pidfd_getfd')).toMatchObject({ ok: false, required: false });
  });
});

import type { CheckReport } from '@sandlock/sandbox';
import { describe, expect, it } from 'vitest';

import { checkText } from '../src/commands/check.js';

const report: CheckReport = {
  supported: true, arch: 'x86_64', kernel: '6.8.0', landlock: { abi: 4, errata: 0, minimum: 6 },
  protections: [
    { protection: 'netTcp', status: 'active', requiredAbi: 4 }, { protection: 'signalScope', status: 'unavailable', requiredAbi: 6 },
  ],
  steps: [
    { name: 'landlock', ok: true, required: true, detail: 'ABI 4' },
    { name: 'user namespace', ok: false, required: false, detail: 'EPERM', hint: 'Only --user needs it.' },
  ],
};

describe('the report of a check', () => {
  it('says for each step and protection how it stands, and what helps', () => {
    const text = checkText({ ...report, supported: false });
    expect(text).toMatch(/^ {2}landlock +ok +ABI 4$/m);
    expect(text).toMatch(/^ {2}user namespace +missing +EPERM\n +Only --user needs it\.$/m);
    expect(text).toMatch(/^ {2}netTcp +available /m);
    expect(text).toMatch(/^ {2}signalScope +unavailable /m);
    expect(text).toMatch(/\nUNSUPPORTED: .*\n$/);
  });

  it('marks a failed step that a run needs', () => {
    const steps = [{ name: 'landlock', ok: false, required: true, detail: 'not available' }];
    expect(checkText({ ...report, supported: false, steps })).toMatch(/^ {2}landlock +FAILED +not available$/m);
    expect(checkText({ ...report, supported: false, steps })).toMatch(/\nUNSUPPORTED: see the steps that failed above\.\n$/);
    expect(checkText(report)).toMatch(/\nOK: .*\n$/);
  });

  it('names what to allow where every step works and a protection is missing: no step failed', () => {
    expect(checkText({ ...report, supported: false }))
      .toMatch(/\nUNSUPPORTED: protections .*: --allow-degraded signal-scope\n$/);
  });
});

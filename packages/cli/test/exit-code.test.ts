import { ConfigError, ConfinementError, ProcessError } from '@sandlock/sandbox';
import { describe, expect, it } from 'vitest';

import { exitCodeOf, exitCodeOfRun } from '../src/errors/exit-code.js';
import { UsageError } from '../src/errors/usage-error.js';

describe('exit codes', () => {
  it.each([
    [{ reason: 'exited', exitCode: 0, signal: null }, 0],
    [{ reason: 'exited', exitCode: 37, signal: null }, 37],
    [{ reason: 'signaled', exitCode: null, signal: 'SIGTERM' }, 143],
    [{ reason: 'killed', exitCode: null, signal: 'SIGKILL' }, 137],
    [{ reason: 'signaled', exitCode: null, signal: 'SIGRTMIN+3' as NodeJS.Signals }, 165],
    [{ reason: 'timeout', exitCode: null, signal: 'SIGKILL' }, 124],
    [{ reason: 'timeout', exitCode: 0, signal: null }, 124],
  ] as const)('of a run that ended with %j: %i', (result, code) => {
    expect(exitCodeOfRun(result)).toBe(code);
  });

  it('tell a program that could not be executed from a machine that cannot confine', () => {
    expect(exitCodeOf(new ProcessError('ERR_SANDLOCK_EXEC', 'x'))).toBe(127);
    expect(exitCodeOf(new ProcessError('ERR_SANDLOCK_CHILD_SETUP', 'x'))).toBe(126);
    for (const code of ['ERR_SANDLOCK_LANDLOCK_UNAVAILABLE', 'ERR_SANDLOCK_CGROUP', 'ERR_SANDLOCK_VDSO'] as const) {
      expect(exitCodeOf(new ConfinementError(code, 'x'))).toBe(126);
    }
  });

  it('are 2 for usage and 1 for everything else', () => {
    expect(exitCodeOf(new UsageError('x', 'sandlock'))).toBe(2);
    expect(exitCodeOf(new ConfigError([{ path: 'cwd', message: 'x' }]))).toBe(1);
    expect(exitCodeOf(new ProcessError('ERR_SANDLOCK_NAME_IN_USE', 'x'))).toBe(1);
    expect(exitCodeOf(new Error('x'))).toBe(1);
    expect(exitCodeOf(undefined)).toBe(1);
    expect(exitCodeOf({ code: 'toString' })).toBe(1);
  });
});

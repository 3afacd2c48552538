import { ConfigError, ProfileError, SandlockError } from '@sandlock/sandbox';
import { describe, expect, it } from 'vitest';

import { errorLines } from '../src/errors/report.js';
import { inFlags } from '../src/run/policy-flags.js';

describe('error lines', () => {
  it('join the chain of causes', () => {
    const cause = new Error('ENOENT: no such file', { cause: new Error('the disk is gone') });
    expect(errorLines(new Error('Cannot start.', { cause }))).toEqual(['Cannot start: ENOENT: no such file: the disk is gone']);
  });

  it('tell a cause once, and end for a cause that is its own', () => {
    const error = new Error('Cannot start: EPERM');
    error.cause = new Error('EPERM', { cause: error });
    expect(errorLines(error)).toEqual(['Cannot start: EPERM']);
  });

  it('stay on one line and keep a terminal from obeying what a name contains', () => {
    expect(errorLines(new Error('no "a\nb\u001b[31mc\u009b\u2028"'))).toEqual(['no "a b\\u001b[31mc\\u009b\\u2028"']);
  });

  it('are one for each option that makes no sense, under the name of its flag', () => {
    const error = new ConfigError([
      { path: 'fsReadable[1]', message: 'It is empty.' }, { path: 'maxProcesses', message: 'It is 0.', hint: 'Leave it out.' },
    ]);
    expect(errorLines(inFlags(error))).toEqual(['--fs-read: It is empty.', '--max-processes: It is 0. Leave it out.']);
  });

  it('name flags where options have names, and leave what is quoted', () => {
    const error = new ConfigError([{ path: 'noSupervisor', message: 'noSupervisor is incompatible with: maxProcesses (it counts).', hint: 'Not "maxCpu", nor netTcp.' }]);
    expect(errorLines(inFlags(error))).toEqual([
      '--no-supervisor: --no-supervisor is incompatible with: --max-processes (it counts). Not "maxCpu", nor netTcp.',
    ]);
    const start = new SandlockError('ERR_SANDLOCK_EXEC', 'Cannot execute "fsReadable": fsReadable includes execution.');
    expect(errorLines(inFlags(start))).toEqual(['Cannot execute "fsReadable": --fs-read includes execution.']);
  });

  it('are one for each mistake in a profile, with its name', () => {
    const issues = [{ path: '[limits].cpu', message: 'It is 0.', hint: 'Leave it out.' }, { path: '', message: 'It is not TOML.' }];
    expect(errorLines(new ProfileError('ERR_SANDLOCK_PROFILE_INVALID', 'profile "build"', issues)))
      .toEqual(['profile "build": [limits].cpu: It is 0. Leave it out.', 'profile "build": It is not TOML.']);
  });

  it('say what was thrown even if it is no error', () => {
    expect(errorLines('text')).toEqual(['text']);
    expect(errorLines(undefined)).toEqual(['something was thrown that says nothing']);
  });
});

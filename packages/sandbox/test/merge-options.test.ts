import { describe, expect, it } from 'vitest';

import { mergeOptions } from '../src/options/merge-options.js';
import { OPTION_NAMES, optionNamed } from '../src/options/option-table.js';

describe('mergeOptions', () => {
  it('appends lists, merges variables, and replaces everything else', () => {
    const handler = { syscall: 'uname', handler: () => { throw new Error('never called'); } };
    expect(mergeOptions({
      fsReadable: ['/a'], netAllow: [':80'], env: { A: '1', B: '1' }, maxMemory: '1G', cpuCores: [0, 1], gpuDevices: [0], cleanEnv: true, user: '1:1', handlers: [handler],
      cwd: Buffer.from('/a'),
    }, {
      fsReadable: [{ path: '/b' }], fsWritable: ['/c'], netAllow: [], env: Object.fromEntries([['B', '2'], ['__proto__', 'x']]), maxMemory: 5, cpuCores: [2], gpuDevices: 'all',
      user: { uid: 2, gid: 2 }, handlers: [handler], cwd: undefined,
    })).toEqual({
      fsReadable: ['/a', { path: '/b' }], fsWritable: ['/c'], netAllow: [':80'], env: Object.fromEntries([['A', '1'], ['B', '2'], ['__proto__', 'x']]), maxMemory: 5,
      cpuCores: [2], gpuDevices: 'all', cleanEnv: true, user: { uid: 2, gid: 2 }, handlers: [handler, handler], cwd: Buffer.from('/a'),
    });
  });

  it('changes neither', () => {
    const [base, over] = [Object.freeze({ fsReadable: Object.freeze(['/a']) }), Object.freeze({ fsReadable: Object.freeze(['/b']) })];
    expect(mergeOptions(base, over)).toEqual({ fsReadable: ['/a', '/b'] });
  });

  it('leaves what is wrong for Sandbox to refuse', () => {
    expect(mergeOptions({ fsReadable: ['/a'] }, { fsReadable: 'b', nonsense: 1 } as never)).toEqual({ fsReadable: 'b', nonsense: 1 });
  });

  it('does for lists as options what repeating does for flags', () => {
    const addingUp = OPTION_NAMES.filter((name) => optionNamed(name).flags.every(({ repeatable }) => repeatable));
    expect(addingUp).toEqual([
      'fsReadable', 'fsWritable', 'netAllow', 'netAllowBind', 'env', 'keepCapabilities', 'allowDegraded', 'disable', 'extraAllowSyscalls', 'extraDenySyscalls', 'handlers',
    ]);
  });
});

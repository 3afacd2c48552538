import type { HandlerContext } from '@sandlock/dispatch';
import { afterEach, describe, expect, it } from 'vitest';

import { freshImages } from '../src/index.js';
import { EARLY_CALLS } from '../src/image/fresh-image.js';
import { closeAll, Supervised } from './supervised.js';

const ARCH_SET_FS = 0x1002;

afterEach(closeAll);

describe('fresh images', () => {
  it('are patched at every call that a fresh image makes early, in order, and the call goes on', async () => {
    const seen: string[] = [];
    const patch = (name: string) => ({ apply: (context: HandlerContext) => seen.push(`${name} at ${context.name}`) > 0 });
    const target = new Supervised(freshImages([patch('a'), patch('b')], 'x86_64'));
    expect(await target.call('brk', [0])).toEqual({ kind: 'continue' });
    expect(await target.call('arch_prctl', [ARCH_SET_FS, 0x1000])).toEqual({ kind: 'continue' });
    expect(await target.call('set_tid_address', [0x1000])).toEqual({ kind: 'continue' });
    expect(seen).toEqual([
      'a at brk', 'b at brk', 'a at arch_prctl', 'b at arch_prctl', 'a at set_tid_address', 'b at set_tid_address']);
  });

  it('are looked for in no other call', () => {
    const target = new Supervised(freshImages([], 'x86_64'));
    const notified = target.table.registrations().map(({ name, when }) => [name, when?.flat().length ?? 0]);
    expect(Object.fromEntries(notified)).toEqual({ brk: 1, arch_prctl: 1, set_tid_address: 0 });
    expect(Object.keys(EARLY_CALLS.aarch64 ?? {})).toEqual(['brk', 'set_tid_address', 'sched_getaffinity']);
  });

  it('that cannot be patched end their process, without asking the patches behind', async () => {
    const seen: string[] = [];
    const target = new Supervised(freshImages([
      { apply: () => false }, { apply: () => seen.push('second') > 0 },
    ], 'x86_64'));
    await target.call('brk', [0], { pid: 4242 });
    expect(target.listener.signals).toEqual(['task 4242 9']);
    expect(seen).toEqual([]);
  });
});

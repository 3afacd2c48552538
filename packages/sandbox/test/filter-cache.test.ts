import { compileFilter, userNotif, allow, type FilterDescription } from '@sandlock/bpf';
import { describe, expect, it } from 'vitest';

import { FilterCache } from '../src/filter/filter-cache.js';

const description = (syscall: string): FilterDescription => ({
  defaultAction: allow(), badArchAction: allow(), architectures: [{ arch: 'x86_64', rules: [{ syscall, action: userNotif() }] }],
});

describe('the cache of filters', () => {
  it('describes and compiles once for what is registered', () => {
    const cache = new FilterCache();
    let described = 0;
    const make = (registered: unknown, name: string) => cache.filter(registered, () => {
      described++;
      return description(name);
    });
    const first = make([1n], 'uname');
    expect(first).toEqual(compileFilter(description('uname')).bytes);
    expect(make([1n], 'never looked at')).toBe(first);
    expect(make([2n], 'close')).toEqual(compileFilter(description('close')).bytes);
    expect(described).toBe(2);
  });

  it('takes from the store what was kept for the same description, and keeps what it had to compile', () => {
    const kept = new Map<string, Uint8Array>();
    const store = { read: (text: string) => kept.get(text), write: (text: string, filter: Uint8Array) => void kept.set(text, filter) };
    const compiled = new FilterCache(store).filter([], () => description('uname'));
    expect([...kept.values()]).toEqual([compiled]);
    const marked = Uint8Array.of(1, 2, 3);
    kept.set([...kept.keys()][0]!, marked);
    expect(new FilterCache(store).filter([], () => description('uname'))).toBe(marked);
    expect(new FilterCache(store).filter([], () => description('close'))).toEqual(compileFilter(description('close')).bytes);
    expect(kept.size).toBe(2);
  });
});

import { describe, expect, it } from 'vitest';

import { createsOver, followsLink } from '../src/open/sticky.js';

const ROOT = 0, US = 1000, THEM = 2000;
const directory = (mode: number, uid = ROOT) => ({ mode: 0o040000 | mode, uid });
const link = (uid: number) => ({ mode: 0o120777, uid });
const file = (uid: number) => ({ mode: 0o100666, uid });

/** fs/namei.c, may_follow_link() and may_create_in_sticky() */
describe('a directory that everybody may write to', () => {
  it('has links that only their owner follows, and whoever the directory is of', () => {
    expect(followsLink(US, link(THEM), directory(0o1777))).toBe(false);
    expect(followsLink(ROOT, link(THEM), directory(0o1777))).toBe(false);
    expect(followsLink(US, link(US), directory(0o1777))).toBe(true);
    expect(followsLink(US, link(ROOT), directory(0o1777))).toBe(true);
    expect([0o777, 0o1775, 0o1755].map((mode) => followsLink(US, link(THEM), directory(mode)))).toEqual([true, true, true]);
  });

  it('has files that nobody makes anew over another\'s', () => {
    expect([0, 1, 2].map((level) => createsOver(level, US, file(THEM), directory(0o1777)))).toEqual([true, false, false]);
    expect([0, 1, 2].map((level) => createsOver(level, US, file(THEM), directory(0o1775)))).toEqual([true, true, false]);
    expect([1, 2].map((level) => createsOver(level, US, file(THEM), directory(0o1755)))).toEqual([true, true]);
    expect([file(US), file(ROOT)].map((each) => createsOver(2, US, each, directory(0o1777)))).toEqual([true, true]);
    expect(createsOver(2, US, file(THEM), directory(0o777))).toBe(true);
  });
});

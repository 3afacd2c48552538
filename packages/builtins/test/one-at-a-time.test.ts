import { describe, expect, it } from 'vitest';

import { OneAtATime } from '../src/one-at-a-time.js';

/** Work that goes on until it is told to end, and writes down that it began. */
function tasks() {
  const turns = new OneAtATime();
  const begun: string[] = [];
  const work = (name: string) => {
    let end!: () => void;
    const promise = new Promise<string>((resolve) => { end = () => resolve(name); });
    return { work: () => { begun.push(name); return promise; }, end };
  };
  return { turns, begun, work };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('work that is done one after the other', () => {
  it('begins in its order, each when the one before has ended, however it ended', async () => {
    const { turns, begun, work } = tasks();
    const [first, last] = [work('first'), work('last')];
    const results = [
      turns.run(first.work), turns.run(() => Promise.reject(new Error('no'))), turns.run(() => { throw new Error('at once'); }), turns.run(last.work),
    ];
    const all = Promise.allSettled(results);
    await settled();
    expect(begun).toEqual(['first']);
    first.end();
    await settled();
    expect(begun).toEqual(['first', 'last']);
    last.end();
    expect((await all).map((result) => (result.status === 'fulfilled' ? result.value : (result.reason as Error).message))).toEqual(['first', 'no', 'at once', 'last']);
  });

  it('never begins when its signal has fired before its turn, and says so while another still goes on', async () => {
    const { turns, begun, work } = tasks();
    const [going, dead, next] = [work('going'), work('dead'), work('next')];
    const caller = new AbortController();
    const results = [turns.run(going.work), turns.run(dead.work, caller.signal), turns.run(next.work, new AbortController().signal)] as const;
    caller.abort(new Error('gone'));
    await expect(results[1]).rejects.toThrow('gone');
    await expect(turns.run(dead.work, caller.signal)).rejects.toThrow('gone');
    going.end();
    next.end();
    expect(await Promise.all([results[0], results[2]])).toEqual(['going', 'next']);
    expect(begun).toEqual(['going', 'next']);
  });

  it('goes on when the signal fires later, with its place taken until it ends', async () => {
    const { turns, begun, work } = tasks();
    const [going, next] = [work('going'), work('next')];
    const caller = new AbortController();
    const results = [turns.run(going.work, caller.signal), turns.run(next.work)];
    await settled();
    caller.abort();
    await settled();
    expect(begun).toEqual(['going']);
    going.end();
    next.end();
    expect(await Promise.all(results)).toEqual(['going', 'next']);
  });
});

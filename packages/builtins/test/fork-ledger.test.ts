import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';

import { ForkLedger } from '../src/fork-ledger.js';

const GONE = 2 ** 22 + 1;

const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

/** A thread that runs and never sleeps: /proc cannot tell whether it is inside a fork. */
async function runningThread(): Promise<number> {
  const child = spawn('/bin/sh', ['-c', 'echo; while :; do :; done'], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await once(child.stdout!, 'data');
  return child.pid!;
}

function delivered(ledger: ForkLedger, tid: number): void {
  ledger.add(tid).delivered = true;
}

describe('the fork ledger', () => {
  it('counts what it was told exists, until a walk was complete', () => {
    const ledger = new ForkLedger(1);
    expect(ledger.unseen).toBe(1);
    ledger.walked(1, true);
    expect(ledger.unseen).toBe(0);
  });

  it('counts every fork, and not the one that did not happen', () => {
    const ledger = new ForkLedger(0);
    const [a, b] = [ledger.add(1), ledger.add(2)];
    expect(ledger.unseen).toBe(2);
    ledger.remove(a);
    ledger.remove(a);
    expect(ledger.unseen).toBe(1);
    ledger.remove(b);
    expect(ledger.unseen).toBe(0);
  });

  it('drops a fork whose thread calls again only after a complete walk', () => {
    const ledger = new ForkLedger(0);
    delivered(ledger, 7);
    ledger.calls(8);
    ledger.walked(0, true);
    expect(ledger.unseen).toBe(1); // 7 may still be inside
    ledger.calls(7);
    ledger.walked(0, false);
    expect(ledger.unseen).toBe(1);
    ledger.walked(0, true);
    expect(ledger.unseen).toBe(0);
  });

  it('takes no fork for settled whose answer is still on the way', () => {
    const ledger = new ForkLedger(0);
    const fork = ledger.add(GONE);
    ledger.settle();
    ledger.calls(GONE);
    ledger.walked(0, true);
    expect([ledger.unseen, ledger.isWaiting]).toEqual([1, false]);
    fork.delivered = true;
    expect(ledger.isWaiting).toBe(true);
    ledger.settle();
    ledger.walked(0, true);
    expect(ledger.unseen).toBe(0);
  });

  it('does not count a child twice that was found while its parent runs on', async () => {
    const ledger = new ForkLedger(0);
    delivered(ledger, await runningThread());
    ledger.settle();
    expect(ledger.unseen).toBe(1);
    ledger.walked(1, true); // known members now have it
    expect(ledger.unseen).toBe(0);
  });

  it('gives found members to settled forks first, for any of them may be theirs', async () => {
    const ledger = new ForkLedger(0);
    delivered(ledger, await runningThread());
    delivered(ledger, GONE);
    ledger.settle();
    ledger.walked(1, true);
    expect(ledger.unseen).toBe(1); // the one found may be the settled one's, and the open one still to come
  });

  it('never counts less than what may be born, whatever is found in which order', async () => {
    const tid = await runningThread();
    const ledger = new ForkLedger(0);
    delivered(ledger, tid);
    delivered(ledger, GONE);
    ledger.walked(1, true); // one of the two, nobody knows whose
    expect(ledger.unseen).toBe(1);
    ledger.settle(); // GONE's: perhaps found, perhaps not
    expect(ledger.unseen).toBe(2);
    ledger.walked(0, true); // it was found, or made none; the open one may still be born
    expect(ledger.unseen).toBe(1);
  });

  it('settles a thread that sleeps, or has been busy in user mode since', async () => {
    const ledger = new ForkLedger(0);
    const sleeper = spawn('/bin/sleep', ['60']);
    children.push(sleeper);
    const busy = await runningThread();
    delivered(ledger, sleeper.pid!);
    delivered(ledger, busy);
    await expect.poll(() => { ledger.settle(); ledger.walked(0, true); return ledger.unseen; }, { timeout: 5000 }).toBe(0);
  });
});

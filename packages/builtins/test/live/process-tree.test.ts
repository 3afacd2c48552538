import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';

import { ProcessTree } from '../../src/index.js';
import { hasChildrenLists } from '../../src/process-children.js';
import { hasPython } from './sandboxed.js';

const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const exited = once(child, 'exit');
    child.stdin!.end();
    await exited;
  }
});

/** A subreaper that stands for a guard. It makes what its lines say, and ends everything of it in the end. */
const GUARD = `
import ctypes, os, signal, sys, threading, time
libc = ctypes.CDLL(None)
libc.prctl(36, 1, 0, 0, 0)
made, gates = [], []
def asleep():
    while True: signal.pause()
def fork(then=asleep):
    pid = os.fork()
    if pid == 0: then(); os._exit(0)
    return pid
def child(): return fork()
def orphan():
    r, w = os.pipe()
    middle = fork(lambda: os.write(w, str(fork()).encode()))
    os.waitpid(middle, 0)
    return int(os.read(r, 99))
def zombie():
    pid = fork(lambda: None)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return pid
def threaded(count=3):
    r, w = os.pipe()
    def main():
        def of_thread(): os.write(w, (str(fork()) + ' ').encode()); asleep_thread()
        def asleep_thread(): time.sleep(1000)
        for _ in range(count - 2): threading.Thread(target=asleep_thread, daemon=True).start()
        threading.Thread(target=of_thread, daemon=True).start()
        asleep()
    pid = fork(main)
    made.append(int(os.read(r, 99)))
    return pid
def end(pid): os.kill(pid, signal.SIGKILL); os.waitpid(pid, 0); made.remove(pid); return 0
try:
    print('ready', flush=True)
    for line in sys.stdin:
        before = len(made)
        result = eval(line)
        if result: made.append(result)
        print(' '.join(map(str, made[before:] if result else [])), flush=True)
finally:
    for pid in made: os.kill(pid, signal.SIGKILL)
`;

class Guard {
  readonly child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor() {
    this.child = spawn('/usr/bin/python3', ['-I', '-c', GUARD], { stdio: ['pipe', 'pipe', 'inherit'] });
    children.push(this.child);
    this.#lines = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
  }

  async ready(): Promise<this> {
    await this.#lines.next();
    return this;
  }

  /** @returns the pids that were made */
  async make(what: string): Promise<number[]> {
    this.child.stdin!.write(`${what}\n`);
    const { value, done } = await this.#lines.next() as { value: string; done?: boolean };
    if (done === true) throw new Error(`The guard could not make ${what}.`);
    return value === '' ? [] : value.split(' ').map(Number);
  }
}

const sorted = (pids: readonly number[]) => [...pids].sort((a, b) => a - b);

const ways = [['children lists', true], ['a look at every process', false]] as const;

describe.skipIf(!hasPython).each(ways)('the members of a sandbox, by %s [needs python3]', (_, useLists) => {
  it.skipIf(useLists && !hasChildrenLists())('are the descendants of its guard: children of threads, orphans, no zombies', async () => {
    const guard = await new Guard().ready();
    const tree = new ProcessTree(() => guard.child.pid!, useLists);
    expect(tree.living()).toEqual([]);
    const members = [...await guard.make('child()'), ...await guard.make('orphan()'), ...await guard.make('threaded()')];
    const [zombie] = await guard.make('zombie()');
    expect(members).toHaveLength(4);
    expect(sorted(tree.living())).toEqual(sorted(members));
    expect(tree.discover()).toEqual({ found: 0, complete: true });
    expect([tree.has(members[0]!), tree.has(zombie!), tree.has(process.pid), tree.has(guard.child.pid!), tree.has(1)])
      .toEqual([true, false, false, false, false]);
    await guard.make(`end(${members[0]})`);
    await guard.make(`end(${members[1]})`);
    expect(sorted(tree.living())).toEqual(sorted(members.slice(2)));
    expect(tree.has(members[0]!)).toBe(false);
  });

  it.skipIf(useLists && !hasChildrenLists())('are found where a process has many threads', async () => {
    const guard = await new Guard().ready();
    const members = await guard.make('threaded(100)');
    const tree = new ProcessTree(() => guard.child.pid!, useLists);
    expect(tree.discover()).toEqual({ found: 2, complete: true });
    expect(sorted(tree.living())).toEqual(sorted(members));
  });

  it('are not known to be all while there is no guard', () => {
    expect(new ProcessTree(() => 0, useLists).discover()).toEqual({ found: 0, complete: false });
    expect(new ProcessTree(() => 2 ** 22 + 1, useLists).discover()).toEqual({ found: 0, complete: false });
  });
});

describe.skipIf(!hasPython || !hasChildrenLists())('a walk [needs python3, CONFIG_PROC_CHILDREN]', () => {
  it('gives up on a crowd of processes that nobody waits for', async () => {
    const guard = await new Guard().ready();
    const tree = new ProcessTree(() => guard.child.pid!);
    const [member] = await guard.make('child()');
    await guard.make('[zombie() for _ in range(1030)] and 0');
    expect(tree.discover().complete).toBe(false);
    expect(tree.living()).toEqual([member]);
  });
});

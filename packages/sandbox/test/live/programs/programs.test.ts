/**
 * Programs that know nothing of a sandbox: what works without one works in one, and says the same.
 *
 * Each runs twice, in a folder of its own made alike, and exit code and output are compared. Where a program
 * speaks of what differs (process ids, times), the script leaves that out.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { Sandbox, type SandboxOptions } from '../../../src/index.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const targets = fileURLToPath(new URL('targets', import.meta.url));
/** By its own path, not a shim of a version manager, which would need a home. */
const node = process.execPath;
const found = (...programs: string[]) => programs.every((program) =>
  program.startsWith('/') ? existsSync(program) : spawnSync('sh', ['-c', `command -v ${program}`]).status === 0);
const GO = '/usr/local/go/bin/go';

let root: string;
let goProgram: string | undefined;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'sandlock-programs-'));
  if (!found(GO)) return;
  goProgram = join(root, 'goroutines');
  // It compiles Go's own packages first, so their objects are kept where they can be.
  const kept = fileURLToPath(new URL('../../../../../.cache', import.meta.url));
  const cache = existsSync(kept) && isWritable(kept) ? join(kept, 'go-build') : join(root, 'cache');
  const { status, stderr } = spawnSync(GO, ['build', '-o', goProgram, join(targets, 'goroutines.go')],
    { env: { ...process.env, GOCACHE: cache, GOPATH: root, GOTOOLCHAIN: 'local', GOTELEMETRY: 'off' }, encoding: 'utf8' });
  if (status !== 0) throw new Error(`go could not build goroutines.go: ${stderr}`);
}, 600_000);
afterAll(() => { rmSync(root, { recursive: true, force: true }); });

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

let made = 0;
/** A folder that looks the same each time, but for its name. */
function folder(): string {
  const path = join(root, `${++made}`);
  cpSync(targets, path, { recursive: true });
  if (goProgram !== undefined) cpSync(goProgram, join(path, 'goroutines'));
  for (const name of ['one', 'two', 'three']) writeFileSync(join(path, `${name}.txt`), `${name}\n`.repeat(100));
  mkdirSync(join(path, 'src'));
  for (let n = 0; n < 8; n++) writeFileSync(join(path, 'src', `part${n}.c`), `int part${n}(void) { return ${n}; }\n`);
  const parts = Array.from({ length: 8 }, (_, n) => `part${n}`);
  writeFileSync(join(path, 'src', 'main.c'), `#include <stdio.h>\n${parts.map((part) => `int ${part}(void);`).join('\n')}\n`
    + `int main(void) { printf("%d\\n", ${parts.map((part) => `${part}()`).join(' + ')}); return 0; }\n`);
  writeFileSync(join(path, 'src', 'Makefile'),
    'OBJECTS := $(patsubst %.c,%.o,$(wildcard *.c))\nall: $(OBJECTS)\n\t$(CC) -o all $(OBJECTS)\n');
  return path;
}

const optional = (path: string) => ({ path, optional: true });
const environment = (path: string) => ({
  PATH: '/usr/local/bin:/usr/bin:/bin', HOME: path, TMPDIR: path, LANG: 'C.UTF-8', GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_DATE: '2001-02-03T04:05:06Z', GIT_COMMITTER_DATE: '2001-02-03T04:05:06Z',
});

function granted(path: string): SandboxOptions {
  return {
    fsReadable: ['/usr', '/etc', '/proc', '/dev/zero', '/dev/urandom', ...['/lib', '/lib64', '/bin', '/sbin', '/opt', '/sys'].map(optional), optional(join(node, '../..'))],
    fsWritable: ['/dev/null', optional('/dev/shm'), path], cleanEnv: true, env: environment(path), cwd: path,
  };
}

/** What a program ends with and says, without the name of its folder. */
async function both(command: string[], options: SandboxOptions = {}): Promise<void> {
  const said = (text: Uint8Array, path: string) => Buffer.from(text).toString('latin1').replaceAll(path, '<folder>');
  const outside = folder();
  const plain = spawnSync(command[0]!, command.slice(1), { cwd: outside, env: environment(outside), timeout: 100_000, maxBuffer: 64 << 20, stdio: ['ignore', 'pipe', 'pipe'] });
  expect({ code: plain.status, stderr: said(plain.stderr, outside) }).toEqual({ code: 0, stderr: '' });
  const inside = folder();
  const child = await new Sandbox({ ...granted(inside), ...options }).popen(command, { timeout: 100_000, stdin: 'ignore' });
  const { exitCode, stdout, stderr, reason } = await child.wait();
  expect({ code: exitCode, reason, stderr: said(stderr!, inside), stdout: said(stdout!, inside) })
    .toEqual({ code: 0, reason: 'exited', stderr: '', stdout: said(plain.stdout, outside) });
}

interface Program {
  readonly name: string;
  readonly needs: readonly string[];
  readonly command: string[];
  readonly options?: SandboxOptions;
}

const sh = (script: string) => ['/bin/bash', '-c', `set -e -o pipefail\n${script}`];

const PROGRAMS: Program[] = [
  {
    name: 'bash with pipelines, here documents, process substitution and background jobs', needs: ['/bin/bash', 'seq', 'sort'],
    command: sh(`seq 2000 | sort -rn | sed -n 1,3p | tr '\\n' ' '
cat <<< "here $((6 * 7))"
diff <(sort one.txt two.txt) <(sort two.txt one.txt) && echo same
for n in 1 2 3; do (sleep 0.0$n; echo done $n > job$n) & done; wait; cat job1 job2 job3
[ -e /dev/fd/0 ] && echo "$(< /proc/self/comm)"; cat < /dev/stdin < one.txt | wc -l; kill -0 $$; trap 'echo trapped' USR1; kill -USR1 $$`),
  },
  {
    name: 'python3 with subprocesses, threads, asyncio, sockets, sqlite and multiprocessing', needs: ['/usr/bin/python3'],
    command: ['/usr/bin/python3', '-c', `
import asyncio, concurrent.futures, multiprocessing, os, socket, sqlite3, subprocess, tempfile, threading, time
print(subprocess.run(['sort', 'one.txt'], capture_output=True).stdout.count(b'one'))
with concurrent.futures.ThreadPoolExecutor(16) as pool: print(sum(pool.map(lambda n: n * n, range(500))))
async def main():
    child = await asyncio.create_subprocess_exec('echo', 'async', stdout=asyncio.subprocess.PIPE)
    print((await child.communicate())[0], await asyncio.wait_for(asyncio.sleep(0.01, 'slept'), 5))
asyncio.run(main())
a, b = socket.socketpair(); a.send(b'pair'); print(b.recv(9))
base = sqlite3.connect('base.db'); base.execute('create table t (n)'); base.executemany('insert into t values (?)', [(n,) for n in range(99)]); base.commit()
print(base.execute('select sum(n) from t').fetchone())
with multiprocessing.get_context('spawn').Pool(3) as pool: print(pool.map(abs, range(-5, 0)))
with tempfile.TemporaryDirectory() as d: open(d + '/x', 'w').write('x'); print(os.listdir(d))
print(len(os.urandom(16)), os.getpid() == int(os.readlink('/proc/self')), os.cpu_count() == len(os.sched_getaffinity(0)) or 'pinned')`],
  },
  {
    name: 'node with its JIT, worker threads, child processes, the file system and timers', needs: [node],
    command: [node, '-e', `
const { Worker } = require('node:worker_threads'); const { execFileSync, spawn } = require('node:child_process'); const fs = require('node:fs'); const os = require('node:os');
const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2));
console.log(fib(27), execFileSync('echo', ['child']).toString().trim(), os.cpus().length > 0, os.totalmem() > 0, os.hostname().length > 0);
(async () => {
  const sums = await Promise.all([1, 2, 3].map((n) => new Promise((ok) => new Worker('require("node:worker_threads").parentPort.postMessage(' + n + ' * 2)', { eval: true }).once('message', ok))));
  await fs.promises.writeFile('written', 'x'.repeat(1 << 20)); console.log(sums, (await fs.promises.stat('written')).size, (await fs.promises.readdir('src')).length);
  await new Promise((ok) => setTimeout(ok, 20));
  console.log(await new Promise((ok) => spawn('cat', ['one.txt']).stdout.once('data', (data) => ok(data.length))), require('node:crypto').randomBytes(8).length);
})();`],
  },
  { name: 'perl with fork, wait and pipes', needs: ['perl'], command: ['perl', '-e', '$| = 1; for (1..5) { my $pid = fork // die; exit $_ unless $pid; waitpid $pid, 0; print $? >> 8, "\\n" } open my $p, "-|", "sort", "two.txt" or die; print scalar(() = <$p>), "\\n"'] },
  { name: 'gcc', needs: ['gcc'], command: sh('gcc -O2 -pthread -o threads threads.c && ./threads') },
  { name: 'make with several jobs', needs: ['make', 'cc'], command: sh('make -s -j4 -C src && src/all && make -q -C src && echo nothing to do') },
  {
    name: 'git', needs: ['git'],
    command: sh(`git init -q -b main . && git config user.name test && git config user.email test@localhost
git add . && git commit -qm first && echo more >> one.txt && git status --porcelain && git commit -qam second
git log --format=%s%n%H && git checkout -q -b other HEAD~1 && git merge -q main && git diff --stat HEAD~1 && git gc -q && git fsck && git clone -q . copy && ls copy`),
  },
  { name: 'a program with a hundred threads', needs: ['gcc'], command: sh('gcc -O1 -static -pthread -o threads threads.c && ./threads && ./threads') },
  { name: 'a Go program with goroutines on several threads', needs: [GO], command: sh('GOMAXPROCS=8 ./goroutines') },
  { name: 'tar, gzip and checksums', needs: ['tar', 'gzip', 'sha256sum'], command: sh('tar --sort=name --mtime=@0 --owner=0 --group=0 -cf - src *.txt | gzip -9n > all.tgz && sha256sum all.tgz && mkdir out && tar -C out -xzf all.tgz && diff -r src out/src && ls out') },
  { name: 'find, xargs, awk and sed', needs: ['find', 'xargs', 'awk', 'sed'], command: sh(`find . -type f -name '*.c' -print0 | sort -z | xargs -0 -P 3 -n 2 wc -c | awk '{ sum += $1 } END { print sum > 0 }'
sed -i s/one/ONE/ one.txt && grep -c ONE one.txt && find src -newer /usr/bin/env | wc -l`) },
  { name: 'find /proc, ps, and what shells read there', needs: ['find', 'ps'], command: sh(`find /proc/self/ -maxdepth 1 -name 'st*' | sort
find /proc -maxdepth 1 -name '[0-9]*' | wc -l | awk '{ print $1 > 0 }'
ps -o comm= -p $$; head -1 /proc/self/status; cat /proc/self/cmdline | tr '\\0' ' '; ls /proc/self/fd | head -3 | wc -l; readlink /proc/self/exe; grep -c -m1 processor /proc/cpuinfo; grep -c MemTotal /proc/meminfo`) },
  { name: 'openssl, sqlite3 and ssh-keygen', needs: ['openssl', 'sqlite3'], command: sh(`openssl rand -hex 8 | wc -c; openssl genpkey -algorithm ed25519 | head -1; openssl dgst -sha256 one.txt
sqlite3 base.db 'create table t (n); insert into t values (1), (2); select sum(n) from t;'`) },
];

describe('programs that know nothing of a sandbox', () => {
  for (const { name, needs, command, options } of PROGRAMS) {
    const missing = needs.filter((need) => !found(need));
    it.skipIf(missing.length > 0)(`run: ${name} [needs ${needs.map((need) => need.split('/').at(-1)).join(', ')}]`, () => both(command, options));
  }
});

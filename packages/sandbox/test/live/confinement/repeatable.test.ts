/** Runs that are the same again: random numbers, listings, addresses and the time, in programs that know nothing of it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Sandbox, type SandboxOptions } from '../../../src/index.js';
import { describeConfined, inContainer } from './calls.js';

const has = (...command: [string, ...string[]]) => spawnSync(command[0], command.slice(1)).status === 0;
const python = has('/usr/bin/python3', '--version');
const go = has('go', 'version');

const granted = ['/usr', '/etc', '/proc', '/dev', ...['/lib', '/lib64', '/bin'].map((path) => ({ path, optional: true }))];
const repeatable = (seed: number | bigint | string, more: SandboxOptions = {}): SandboxOptions => ({
  fsReadable: [...granted, directory], cleanEnv: true, cwd: directory,
  randomSeed: seed, deterministicDirs: true, timeStart: '2001-02-03T00:00:00.123456789Z', timeFrozen: true, noRandomizeMemory: true, ...more,
});

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'repeatable-'));
  for (const name of ['m', 'a', 'Z', 'b10', 'b9', '.x', 'c']) writeFileSync(join(directory, name), '');
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

async function output(options: SandboxOptions, ...argv: string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await new Sandbox(options).run(argv);
  expect({ stderr: String(stderr), exitCode }).toEqual({ stderr: '', exitCode: 0 });
  return String(stdout);
}

/** The same of one seed, by whatever form it is given in, and nothing in common with that of another. */
async function expectRepeatable(...argv: string[]): Promise<string[]> {
  const [first, again, other] = [
    await output(repeatable(42), ...argv), await output(repeatable('42'), ...argv), await output(repeatable(43n), ...argv)];
  expect(again).toBe(first);
  const lines = first.split('\n').slice(0, -1);
  expect(other.split('\n').slice(0, -1).filter((line, i) => line === lines[i])).toEqual([]);
  return lines;
}

(inContainer ? describe.skip : describeConfined)('a run with a seed [needs no container]', () => {
  it('has the same random numbers in its shell\'s tools, and others for another seed', async () => {
    await expectRepeatable('/bin/bash', '--norc', '-c', `
od -An -N8 -tx1 /dev/urandom
od -An -N8 -tx1 < /dev/random
head -c 3000000 /dev/urandom | sha256sum
dd if=/dev/urandom bs=2M count=1 status=none | sha256sum
mktemp -u
shuf -i 1-1000000 -n 5 | tr '\\n' ' '; echo
(od -An -N4 -tx1 /dev/urandom & wait) | cat
cat /proc/sys/kernel/random/uuid
cat /proc/sys/kernel/random/boot_id`);
  });

  it.skipIf(!python)('has the same in python: numbers, hashes, addresses, listings, the time [needs python3]', async () => {
    const lines = await expectRepeatable('/usr/bin/python3', '-I', '-c', `
import os, random, secrets, uuid
print(os.urandom(8).hex())
print(random.random(), random.sample(range(1000), 5))
print(secrets.token_hex(8))
print(uuid.uuid4())
print(hash('salted'), list({'a', 'b', 'c', 'd', 'e'}))`);
    expect(lines).toHaveLength(5);
    // What does not depend on the seed.
    const program = `
import ctypes, datetime, os, time
print(os.listdir('.'), [hex(ctypes.addressof(x)) for x in (ctypes.c_int(), ctypes.create_string_buffer(1 << 20))], hex(id(os)))
print(datetime.datetime.now(datetime.timezone.utc), time.time_ns())`;
    const first = await output(repeatable(42), '/usr/bin/python3', '-I', '-c', program);
    expect(await output(repeatable(42), '/usr/bin/python3', '-I', '-c', program)).toBe(first);
    expect(first).toContain("['.x', 'Z', 'a', 'b10', 'b9', 'c', 'm']");
    expect(first).toContain('2001-02-03 00:00:00.123456+00:00 981158400123456789');
  });

  describe('in node', () => {
    const run = (seed: number, ...args: string[]) => output(repeatable(seed, { fsReadable: [...granted, directory, process.execPath] }), process.execPath, ...args);
    const expectSame = async (...args: string[]) => {
      const first = await run(42, ...args);
      expect(await run(42, ...args)).toBe(first);
      expect((await run(43, ...args)).split('\n').filter((line) => line !== '' && first.includes(line))).toEqual([]);
    };

    // OpenSSL mixes addresses in, so this is about the seed and the memory together. Before Node 26 it is seeded when
    // there are no threads yet; since then, when it is first used. What V8 has meanwhile allocated for code that it
    // compiles in the background is in other places each time.
    it('has the same from crypto, where no thread has moved the memory', async () => {
      const flags = Number(process.versions.node.split('.')[0]) < 26 ? [] : ['--single-threaded'];
      await expectSame(...flags, '-e', `
const { randomBytes, randomUUID } = require('node:crypto');
console.log(randomBytes(8).toString('hex'));
console.log(Math.random());
console.log(randomUUID());
console.log(Date.now() + Math.random());`);
    });

    it('has the same from Math.random(), with all threads', async () => {
      await expectSame('-e', 'console.log(Math.random()); console.log(Date.now() + Math.random())');
    });
  });

  it.skipIf(!go)('has the same in Go, whose runtime asks the vDSO [needs go]', async () => {
    writeFileSync(join(directory, 'c.go'), `package main
import ("crypto/rand"; "fmt")
func main() {
  b := make([]byte, 8)
  rand.Read(b)
  fmt.Printf("%x\\n", b)
}`);
    const built = spawnSync('go', ['build', '-o', join(directory, 'c'), join(directory, 'c.go')], { encoding: 'utf8', env: { ...process.env, GOFLAGS: '-mod=mod' } });
    expect(built.stderr).toBe('');
    await expectRepeatable(join(directory, 'c'));
  }, 240_000);

  it('lists no directory in another order, whoever lists it', async () => {
    writeFileSync(join(directory, '0'), '');
    const sorted = ['.', '..', '.x', '0', 'Z', 'a', 'b10', 'b9', 'c', 'm'];
    const listed = (await output(repeatable(1), '/bin/ls', '-aU', '.')).split('\n').slice(0, -1);
    expect(listed.filter((name) => name !== 'c.go')).toEqual(sorted);
    const pids = (await output(repeatable(1), '/bin/ls', '-U', '/proc')).split('\n').filter((name) => /^\d+$/.test(name));
    expect(pids).toHaveLength(1); // and none of the machine's
    expect((await output(repeatable(1, { deterministicDirs: false }), '/bin/ls', '-aU', '.')).split('\n')).not.toEqual(listed);
  });

  it('grants nothing by it', async () => {
    const run = (fsReadable: SandboxOptions['fsReadable']) => new Sandbox(repeatable(1, { fsReadable })).run(['/bin/od', '-N1', '/dev/urandom']);
    const without = granted.filter((grant) => grant !== '/dev' && grant !== '/proc');
    expect(String((await run(without)).stderr)).toContain('Permission denied');
    expect((await run([...without, '/dev/urandom'])).exitCode).toBe(0);
  });

  it('asks OpenSSL to leave the processor alone, unless it was told something else', async () => {
    const variable = (more: SandboxOptions) => output(repeatable(1, more), '/bin/bash', '--norc', '-c', 'echo "${OPENSSL_ia32cap-unset}"');
    expect(await variable({})).toBe(process.arch === 'x64' ? '~0x4000000000000000:~0x40000\n' : 'unset\n');
    expect(await variable({ env: { OPENSSL_ia32cap: '~0' } })).toBe('~0\n');
  });
});

(inContainer ? describe.skip : describeConfined)('a run without a seed [needs no container]', () => {
  it('has random numbers of the machine', async () => {
    const argv = ['/bin/bash', '--norc', '-c', 'od -An -N8 -tx1 /dev/urandom; mktemp -u; cat /proc/sys/kernel/random/uuid'] as const;
    const options = repeatable(1, { randomSeed: undefined });
    const first = (await output(options, ...argv)).split('\n');
    expect((await output(options, ...argv)).split('\n').filter((line, i) => line === first[i])).toEqual(['']);
  });
});

/** confine(): a process confines itself, and every thread of it. Each time a node process of its own. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

import { confine, type SandboxOptions } from '../../../src/index.js';
import { describeConfined, scratch } from './calls.js';
import { Listener } from './loopback.js';
import { Sentinel } from './sentinel.js';

const own = fileURLToPath(new URL('../../../dist/index.js', import.meta.url));

/** What a program prints, as JSON, that has `confine`, `code()`, `inside`, `outside` and a worker at hand. */
function run(body: string, folder: string): unknown {
  const program = `
    import { confine } from ${JSON.stringify(own)};
    import fs from 'node:fs';
    import { Worker } from 'node:worker_threads';
    import { spawnSync } from 'node:child_process';
    const { inside, outside } = ${JSON.stringify({ inside: join(folder, 'inside'), outside: join(folder, 'outside') })};
    const code = (act) => { try { const value = act(); return value?.then ? value.then(() => 'ok', (error) => error.code) : 'ok'; } catch (error) { return error.code; } };
    const source = \`
      const { parentPort, workerData } = require('node:worker_threads');
      const fs = require('node:fs');
      parentPort.on('message', async () => {
        const say = (act) => { try { act(); return 'ok'; } catch (error) { return error.code; } };
        parentPort.postMessage([say(() => fs.readFileSync(workerData.outside)), say(() => fs.readFileSync(workerData.inside)),
          await fs.promises.readFile(workerData.outside).then(() => 'ok', (error) => error.code)]);
      });\`;
    const start = () => new Worker(source, { eval: true, execArgv: [], workerData: { inside: inside + '/file', outside: outside + '/file' } });
    const ask = (worker) => new Promise((resolve, reject) => { worker.once('message', resolve); worker.once('error', reject); worker.postMessage(0); });
    ${body}
    process.exit(0);`;
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program],
    { encoding: 'utf8', timeout: 30_000, stdio: ['ignore', 'pipe', 'pipe'] });
  if (status !== 0) throw new Error(`The program ended by ${signal ?? status}: ${stderr}`);
  return JSON.parse(stdout) as unknown;
}

function folders(): string {
  const folder = scratch();
  for (const name of ['inside', 'outside']) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'file'), 'text');
  }
  return folder;
}

/** Of this thread; the first thing that confining takes. */
function privileges(): string | undefined {
  return /^NoNewPrivs:\s*(\d)$/m.exec(readFileSync('/proc/thread-self/status', 'latin1'))?.[1];
}

describeConfined('confine()', () => {
  it('confines the thread that asks, the pool behind fs.promises, workers that run and workers to come', () => {
    const result = run(`
      const before = start();
      const earlier = await ask(before);
      await Promise.all(Array.from({ length: 8 }, () => fs.promises.readFile(outside + '/file'))); // the pool has all its threads
      const { threads, protections } = confine({ fsReadable: [inside, '/usr', '/proc', { path: '/lib64', optional: true }], fsWritable: [inside] });
      const pool = await Promise.all(Array.from({ length: 16 }, () => code(() => fs.promises.readFile(outside + '/file'))));
      console.log(JSON.stringify({
        earlier, threads, active: protections.every(({ status }) => status === 'active'),
        main: [code(() => fs.readFileSync(outside + '/file')), code(() => fs.readFileSync(inside + '/file')), code(() => fs.writeFileSync(inside + '/new', 'x')), code(() => fs.writeFileSync(outside + '/new', 'x'))],
        pool: [...new Set(pool)], write: await code(() => fs.promises.writeFile(outside + '/new', 'x')),
        running: await ask(before), started: await ask(start()),
        privileges: /NoNewPrivs:\\s*1/.test(fs.readFileSync('/proc/self/status', 'latin1')),
        tasks: fs.readdirSync('/proc/self/task').every((tid) => /NoNewPrivs:\\s*1/.test(fs.readFileSync('/proc/self/task/' + tid + '/status', 'latin1'))),
      }));`, folders()) as Record<string, unknown>;
    expect(result).toMatchObject({
      earlier: ['ok', 'ok', 'ok'], active: true, main: ['EACCES', 'ok', 'ok', 'EACCES'], pool: ['EACCES'], write: 'EACCES',
      running: ['EACCES', 'ok', 'EACCES'], started: ['EACCES', 'ok', 'EACCES'], privileges: true, tasks: true,
    });
    if (result.threads !== undefined) expect(result.threads).toBeGreaterThan(5);
  }, 40_000);

  it('confines what the process starts, too, and lets it start it', () => {
    const result = run(`
      confine({ fsReadable: ['/usr', inside, '/proc', ...['/lib', '/lib64', '/bin', '/etc'].map((path) => ({ path, optional: true }))], fsWritable: ['/dev/null'] });
      const cat = (path) => spawnSync('/bin/cat', [path + '/file'], { encoding: 'utf8' });
      console.log(JSON.stringify([cat(inside).stdout, cat(outside).status]));`, folders());
    expect(result).toEqual(['text', 1]);
  }, 40_000);

  it('scopes signals, and leaves TCP as it is', async () => {
    const sentinel = await Sentinel.start();
    const listener = await Listener.open();
    const { spawn } = await import('node:child_process');
    // Not spawnSync, which would keep the listener from answering.
    const program = `
      import { confine } from ${JSON.stringify(own)};
      import net from 'node:net';
      confine({ fsReadable: ['/usr'] });
      const code = (act) => { try { act(); return 'ok'; } catch (error) { return error.code; } };
      const socket = net.connect(${listener.port}, '127.0.0.1', () => {
        console.log(JSON.stringify([code(() => process.kill(${sentinel.pid}, 'SIGTERM')), code(() => process.kill(process.pid, 0)), 'connected']));
        process.exit(0);
      });
      socket.on('error', (error) => { console.log(JSON.stringify([error.code])); process.exit(0); });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (data) => { text += String(data); });
    await new Promise((resolve) => child.once('close', resolve));
    expect(JSON.parse(text)).toEqual(['EPERM', 'ok', 'connected']);
    expect(await sentinel.signals()).toEqual([]);
    expect((await listener.log()).connections).toBe(1);
    await sentinel.end();
  }, 40_000);

  it('can be asked for less and less, never for more', () => {
    const folder = folders();
    const result = run(`
      confine({ fsReadable: [inside, outside, '/proc'] });
      const first = [code(() => fs.readFileSync(inside + '/file')), code(() => fs.readFileSync(outside + '/file'))];
      confine({ fsReadable: [inside, '/proc'] });
      const second = [code(() => fs.readFileSync(inside + '/file')), code(() => fs.readFileSync(outside + '/file'))];
      confine({ fsReadable: [inside, outside, '/proc'], fsWritable: [outside] });
      console.log(JSON.stringify([first, second, [code(() => fs.readFileSync(inside + '/file')), code(() => fs.writeFileSync(outside + '/file', ''))]]));`, folder);
    expect(result).toEqual([['ok', 'ok'], ['ok', 'EACCES'], ['ok', 'EACCES']]);
    // Threads are found in /proc. Where that is out of reach by now, it says so and nothing has changed.
    expect(run(`
      confine({ fsReadable: [inside, outside] });
      console.log(JSON.stringify([code(() => confine({ fsReadable: [inside] })), code(() => fs.readFileSync(outside + '/file'))]));`, folder))
      .toEqual(['ERR_SANDLOCK_LANDLOCK', 'ok']);
  }, 40_000);

  it.each<[string, SandboxOptions]>([
    ['netAllow', { netAllow: [':443'] }], ['netAllowBind', { netAllowBind: [80] }], ['env', { env: { A: 'b' } }], ['cleanEnv', { cleanEnv: true }],
    ['cwd', { cwd: '/' }], ['user', { user: '1:1' }], ['maxProcesses', { maxProcesses: 5 }], ['maxOpenFiles', { maxOpenFiles: 64 }],
    ['cpuCores', { cpuCores: [0] }], ['noCoredump', { noCoredump: true }], ['extraDenySyscalls', { extraDenySyscalls: ['getpid'] }],
    ['keepCapabilities', { keepCapabilities: true }], ['name', { name: 'me' }], ['noSupervisor', { noSupervisor: true }],
    ['noRandomizeMemory', { noRandomizeMemory: true }], ['noHugePages', { noHugePages: true }], ['extraAllowSyscalls', { extraAllowSyscalls: ['ptrace'] }],
  ])('refuses %s, which it could not apply, before anything is confined', (name, options) => {
    const before = privileges();
    expect(() => confine({ fsReadable: ['/usr'], ...options })).toThrow(
      expect.objectContaining({ code: 'ERR_SANDLOCK_CONFINE_UNSUPPORTED', message: expect.stringContaining(name) as string }));
    expect(privileges()).toBe(before);
  });

  it('refuses grants that are not there', () => {
    expect(() => confine({ fsReadable: ['/no/such/place'] })).toThrow(expect.objectContaining({ code: 'ERR_SANDLOCK_CONFIG' }));
    expect(() => confine({ disable: ['fsRefer'] })).toThrow(expect.objectContaining({ code: 'ERR_SANDLOCK_CONFIG' }));
  });
});

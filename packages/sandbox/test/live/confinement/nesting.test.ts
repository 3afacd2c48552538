/** Sandboxes in sandboxes: the outer one without a supervisor, since there is one listener to a program. */
import { realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

import { Sandbox, type SandboxOptions } from '../../../src/index.js';
import { call, compiled, describeConfined, programFolder, scratch, script } from './calls.js';

const repository = fileURLToPath(new URL('../../../../../', import.meta.url));
const own = fileURLToPath(new URL('../../../dist/index.js', import.meta.url));
const modules = realpathSync(`${repository}node_modules`);

/** What a sandbox inside needs for itself. */
const grants = (): SandboxOptions['fsReadable'] => [
  '/usr', '/etc', '/proc', repository, modules, process.execPath, programFolder(),
  ...['/lib', '/lib64', '/bin', '/dev/null', '/dev/urandom'].map((path) => ({ path, optional: true })),
];

/** A program that runs the program of calls in a sandbox and prints what it said, or the error. */
function inner(options: SandboxOptions, input: string): string[] {
  const program = `
    import { Sandbox } from ${JSON.stringify(own)};
    try {
      const result = await new Sandbox(${JSON.stringify({ fsReadable: [programFolder()], ...options })})
        .run([${JSON.stringify(compiled('calls'))}], { input: ${JSON.stringify(input)}, timeout: 20000 });
      console.log(JSON.stringify({ ok: result.ok, stdout: String(result.stdout) }));
    } catch (error) {
      console.log(JSON.stringify({ code: error.code, message: error.message, errno: error.errno, issues: error.issues }));
    }`;
  return [process.execPath, '--input-type=module', '-e', program];
}

const asked = script([
  call('uname', Buffer.alloc(390)), call('openat', -100, '/etc/passwd', 0), call('unshare', 0), call('bpf', -1), call('getuid'),
]);

async function nested(outer: SandboxOptions, options: SandboxOptions, input = asked): Promise<Record<string, unknown>> {
  const result = await new Sandbox({ fsReadable: grants()!, fsWritable: [{ path: '/dev/null', optional: true }], ...outer })
    .run(inner(options, input), { timeout: 40_000, input: '' });
  if (!result.ok) throw new Error(`The program inside ended by ${result.signal ?? result.exitCode}: ${String(result.stderr)}`);
  return JSON.parse(result.text()) as Record<string, unknown>;
}

const verdicts = (stdout: unknown): number[] => String(stdout).trim().split('\n').map((line) => Number(line.split(' ')[1]));

describeConfined('a sandbox in a sandbox', () => {
  it('works fully inside one without a supervisor', async () => {
    const result = await nested({ noSupervisor: true }, { name: 'inside' });
    expect(result).toMatchObject({ ok: true });
    expect(verdicts(result.stdout)).toEqual([0, 13, 1, 1, 0]);
    expect(String(result.stdout)).toContain(Buffer.from('inside\0').toString('hex'));
  }, 60_000);

  it('is granted no more than the outer one was', async () => {
    const file = join(scratch(), 'file');
    writeFileSync(file, 'text');
    const options = { fsReadable: [programFolder(), file] };
    const input = script([call('openat', -100, file, 0)]);
    expect(verdicts((await nested({ noSupervisor: true }, options, input)).stdout)).toEqual([13]);
    const granting = { noSupervisor: true, fsReadable: [...grants()!, file] };
    expect(verdicts((await nested(granting, options, input)).stdout)).toEqual([0]);
  }, 60_000);

  it('without a supervisor works inside one with one', async () => {
    const result = await nested({}, { noSupervisor: true });
    expect(result).toMatchObject({ ok: true });
    expect(verdicts(result.stdout).slice(1)).toEqual([13, 1, 1, 0]);
  }, 60_000);

  it('is refused by name where both want a supervisor', async () => {
    // Also where it cannot even make its rules, for what the outer one shows in place of files gets none.
    for (const options of [{}, { fsReadable: ['/'] }, { fsReadable: ['/etc', programFolder()] }, { fsReadable: ['/proc/self/status', programFolder()] }]) {
      const result = await nested({ fsReadable: ['/'] }, options);
      expect(result).toMatchObject({ code: 'ERR_SANDLOCK_LISTENER_BUSY', message: expect.stringContaining('noSupervisor') as string, errno: -16 });
    }
    expect(await nested({ fsReadable: ['/'] }, { fsReadable: ['/nowhere', programFolder()] })).toMatchObject({ code: 'ERR_SANDLOCK_CONFIG' });
  }, 60_000);

  it('works beside another one of the same process', async () => {
    const run = () => new Sandbox({ fsReadable: [programFolder()] }).run([compiled('calls')], { input: asked });
    for (const result of await Promise.all([run(), run(), run()])) expect(verdicts(result.stdout)).toEqual([0, 13, 1, 1, 0]);
  });
});

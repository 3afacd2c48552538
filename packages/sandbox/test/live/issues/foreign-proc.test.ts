/** /proc of another pid namespace: what a program leaves behind could not be found there, so nothing starts. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const script = `
  const { Sandbox } = await import(${JSON.stringify(fileURLToPath(new URL('../../../dist/index.js', import.meta.url)))});
  const optional = ['/lib', '/lib64', '/bin'].map((path) => ({ path, optional: true }));
  const box = new Sandbox({ fsReadable: ['/usr', '/dev/null', ...optional], noSupervisor: true });
  const began = performance.now();
  try {
    const { exitCode } = await box.run(['sh', '-c', 'sleep 15 & exit 3']);
    console.log(exitCode, performance.now() - began < 10_000 ? 'at once' : 'late');
  } catch (error) {
    console.log(error.code, error.step);
  }`;

const namespaces = process.getuid!() === 0 ? [] : ['--user', '--map-root-user'];

function within(...options: string[]): string {
  const { stdout, stderr } = spawnSync('unshare', [...namespaces, '--pid', '--fork', ...options, process.execPath, '--input-type=module', '-e', script],
    { encoding: 'utf8', timeout: 25_000 });
  return stdout.trim() || stderr;
}

const available = spawnSync('unshare', [...namespaces, '--pid', '--fork', '--mount-proc', 'true']).status === 0;

describe.skipIf(!available)('a pid namespace [needs unshare(1) with --pid]', () => {
  it('runs programs with its own /proc, and ends what they leave', () => {
    expect(within('--mount-proc')).toBe('3 at once');
  }, 30_000);

  it('runs none with that of another', () => {
    expect(within()).toBe('ERR_SANDLOCK_CHILD_SETUP proc');
  }, 30_000);
});

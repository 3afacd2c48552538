/** What an application ships: nothing of Node, one table if it asks for one, and not much. */
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

const src = new URL('../src/', import.meta.url).pathname;

async function bundle(contents: string) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: src, loader: 'ts' }, bundle: true, minify: true, write: false, metafile: true, format: 'esm', platform: 'browser', target: 'es2023',
  });
  return { text: outputFiles[0]!.text, size: outputFiles[0]!.contents.length, inputs: Object.keys(metafile.inputs), imports: Object.values(metafile.outputs)[0]!.imports };
}

const tablesIn = (inputs: readonly string[]): string[] => inputs.flatMap((input) => /tables\/(x86_64|x32|i386|aarch64|arm|riscv64)\.ts$/.exec(input)?.[1] ?? []).sort();

describe('the bundle', () => {
  it('with everything and one table has less than 60 kB minified', async () => {
    const { size, inputs } = await bundle("export * from './core.js'; export { x86_64 } from './tables/x86_64.js';");
    expect(tablesIn(inputs)).toEqual(['x86_64']);
    expect(size).toBeLessThan(60_000);
  });

  it('imports nothing, of Node or anybody else', async () => {
    const { imports } = await bundle("export * from './index.js';");
    expect(imports).toEqual([]);
  });

  it('leaves out what is not used, tables first', async () => {
    const whole = await bundle("export * from './index.js';");
    const some = await bundle("import { compileFilter, allow, errno } from './core.js'; console.log(compileFilter({ defaultAction: allow(), architectures: [{ arch: 'x86_64', rules: [{ syscall: 5, action: errno(1) }] }] }));");
    expect(some.text).not.toContain('epoll_wait');
    expect(some.text).not.toContain('SCMP_ACT');
    expect(some.size).toBeLessThan(whole.size / 3);
  });
});

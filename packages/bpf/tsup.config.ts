import { defineConfig } from 'tsup';

export default defineConfig({
  entry: {
    'index': 'src/index.ts',
    'core': 'src/core.ts',
    ...Object.fromEntries(['x86_64', 'x32', 'i386', 'aarch64', 'arm', 'riscv64']
      .map((arch) => [`tables/${arch}`, `src/tables/${arch}.ts`])),
  },
  format: ['esm'],
  target: 'es2022',
  platform: 'neutral',
  dts: true,
  sourcemap: true,
  clean: true,
});

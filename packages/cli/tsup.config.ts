import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { defineConfig } from 'tsup';

// Two files for a run: the command with everything in it, and in front of it the few lines that load it from a code
// cache. A third has what only `sandlock bpf` needs, and a fourth the reader of profiles.
// CommonJS, since Node's loader of ES modules takes longer to start than the command may.
// Whitespace goes, names stay: they are in stack traces.
const later = (name: string, functions: readonly string[]): string => functions
  .map((each) => `exports.${each} = (...args) => process.getBuiltinModule('node:${name}').${each}(...args);`).join('\n');

export default defineConfig({
  entry: { sandlock: 'src/sandlock.ts', main: 'src/main.ts', bpf: 'src/commands/bpf/bpf.ts', toml: 'src/run/toml.ts' },
  format: ['cjs'],
  target: 'node20',
  platform: 'node',
  splitting: false,
  removeNodeProtocol: false,
  sourcemap: true,
  clean: true,
  noExternal: [/^@sandlock\//, 'commander', 'valibot', 'smol-toml'],
  plugins: [
    {
      // As Node wraps a CommonJS module, done here and not when it is read: that would make a second copy of all the text,
      // which costs a garbage collection.
      name: 'wrapped-main',
      renderChunk(code, { path, map }) {
        if (!path.endsWith('/main.cjs')) return undefined;
        return { code: `(function (exports, require, module, __filename, __dirname) {${code}\n})`, map: map ?? null };
      },
    },
  ],
  esbuildPlugins: [
    {
      name: 'files-of-their-own',
      setup(build) {
        build.onResolve({ filter: /\/commands\/bpf\/bpf\.js$/ }, () => ({ path: './bpf.cjs', external: true }));
        build.onResolve({ filter: /^smol-toml$/ }, ({ importer }) => (
          importer.endsWith('/src/run/toml.ts') ? undefined : { path: './toml.cjs', external: true }));
      },
    },
    {
      // Modules of Node's that take long to load and that a run does without: loaded when they are called. commander
      // needs node:child_process for subcommands that are programs, and addresses are told apart by node:net.
      name: 'lazy-builtins',
      setup(build) {
        const shims: Record<string, string> = {
          child_process: later('child_process', ['spawn']),
          net: later('net', ['isIPv4', 'isIPv6']),
        };
        build.onResolve({ filter: /^(node:)?(child_process|net)$/ }, ({ path }) => ({ path: path.replace('node:', ''), namespace: 'lazy' }));
        build.onLoad({ filter: /./, namespace: 'lazy' }, ({ path }) => ({ contents: shims[path]! }));
      },
    },
    {
      // The addon and the guard stay in the package that they were built into. Its code finds them beside itself.
      name: 'native-package',
      setup(build) {
        build.onLoad({ filter: /\/sys\/dist\/[^/]+\.js$/ }, async ({ path }) => ({
          contents: `import { sysUrl } from ${JSON.stringify(fileURLToPath(new URL('src/sys-url.ts', import.meta.url)))};\n`
            + (await readFile(path, 'utf8')).replaceAll('import.meta.url', 'sysUrl()'),
        }));
      },
    },
  ],
  esbuildOptions(options) {
    // require() instead, which code from a cache has, and import() does not.
    options.supported = { ...options.supported, 'dynamic-import': false };
    options.minifyWhitespace = true;
    options.minifySyntax = true;
  },
});

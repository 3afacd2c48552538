/**
 * Native build.
 *
 * Compiles the addon and the guard with node-gyp and puts both where the published package has them:
 * prebuilds/<platform>-<arch>-<libc>/. A package from the registry brings that folder and never runs this.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);
const nodeGyp = require.resolve('node-gyp/bin/node-gyp.js');

/** Headers that came with this Node, if they did; node-gyp fetches them otherwise. */
const prefix = resolve(dirname(process.execPath), '..');
const headers = existsSync(join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : [];

const { status } = spawnSync(process.execPath, [nodeGyp, 'rebuild', '--directory=native', '--loglevel=warn', ...headers], {
  cwd: root,
  stdio: ['ignore', 'ignore', 'inherit'],
});
if (status !== 0) {
  console.error('sandlock: the native build failed. It needs python3, make and a C++17 compiler (g++ 9, clang 10).');
  process.exit(1);
}

const libc = process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl';
const target = join(root, 'prebuilds', `${process.platform}-${process.arch}-${libc}`);
mkdirSync(target, { recursive: true });
for (const file of ['sandlock.node', 'sandlock-guard']) {
  // Under another name first: writing into a file that a process has mapped would change it under that process.
  copyFileSync(join(root, 'native/build/Release', file), join(target, `${file}.new`));
  renameSync(join(target, `${file}.new`), join(target, file));
}

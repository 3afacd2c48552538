/**
 * What a guest starts from: busybox, the modules that reach this machine's files, and `init`.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What is built into a kernel is not in its modules.dep, and is not missed. */
const NEEDED = ['virtio_pci', '9pnet_virtio', '9p', 'overlay'];
const BUSYBOX = '/bin/busybox';

/**
 * @param {{ modules: string }} kernel
 * @param {{ checkout: string, shared: string, asUser: boolean }} told what init.sh and guest.sh ask for
 * @returns {string} the path of the archive, in `folder`
 */
export function makeInitrd({ modules }, { checkout, shared, asUser }, folder) {
  const tree = join(folder, 'initrd');
  for (const name of ['bin', 'modules', 'dev', 'proc', 'new']) mkdirSync(join(tree, name), { recursive: true });
  copyFileSync(BUSYBOX, join(tree, 'bin/busybox'));
  const order = loadOrder(modules);
  for (const module of order) copyFileSync(join(modules, module), join(tree, 'modules', basename(module)));
  const told = { MODULES: order.map((module) => basename(module)).join(' '), MODULE_TREE: modules, CHECKOUT: checkout, SHARED: shared, AS_USER: asUser ? '1' : '' };
  writeFileSync(join(tree, 'told'), Object.entries(told).map(([key, value]) => `${key}='${value}'\n`).join(''));
  for (const [from, to] of [['init.sh', 'init'], ['guest.sh', 'guest']]) {
    writeFileSync(join(tree, to), readFileSync(fileURLToPath(new URL(from, import.meta.url))), { mode: 0o755 });
  }
  const archive = join(folder, 'initrd.cpio');
  const { status, stderr } = spawnSync('sh', ['-c', `find . | cpio --quiet -o -H newc > '${archive}'`], { cwd: tree, encoding: 'utf8' });
  if (status !== 0) throw new Error(`cpio: ${stderr}`);
  rmSync(tree, { recursive: true });
  return archive;
}

/** Modules by path, each after those that it needs. A line of modules.dep names those in the opposite order. */
function loadOrder(modules) {
  const lines = readFileSync(join(modules, 'modules.dep'), 'utf8').split('\n').filter((line) => line !== '').map((line) => {
    const [path, needed] = line.split(':');
    return { path, needed: needed.split(' ').filter((word) => word !== '').reverse() };
  });
  const order = new Set();
  for (const name of NEEDED) {
    const line = lines.find(({ path }) => basename(path) === `${name}.ko`);
    for (const path of line === undefined ? [] : [...line.needed, line.path]) order.add(path);
  }
  return [...order];
}

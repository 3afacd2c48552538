/**
 * In a mount namespace of its own: runs one policy before and after something was mounted or unmounted, and prints what
 * was read, as JSON. Argument: an empty folder.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Sandbox } from '../../../../dist/index.js';

const [folder] = process.argv.slice(2);
const mount = (...args) => execFileSync('mount', args);
const at = (...names) => join(folder, ...names);
const read = async (sandbox, path) => {
  const { stdout, stderr } = await sandbox.run(['cat', path]);
  return `${stdout}${stderr}`.trim().replace(/^cat: .*: /, '');
};
const system = ['/usr', '/bin', '/lib', '/lib64'].filter((path) => existsSync(path));

// An /etc of our own, with a folder mounted in it that has another name outside.
mkdirSync(at('data'));
writeFileSync(at('data', 'file'), 'data');
mkdirSync(at('etc', 'app'), { recursive: true });
spawnSync('cp', ['-a', '/etc/hosts', '/etc/ld.so.cache', at('etc')]);
mount('--bind', at('etc'), '/etc');
mount('--bind', at('data'), '/etc/app');
mkdirSync(at('later'));
writeFileSync(at('later', 'file'), 'mounted later');
await new Promise((resolve) => { setTimeout(resolve, 3200); });

const etc = new Sandbox({ fsReadable: [...system, '/etc'] });
const root = new Sandbox({ fsReadable: ['/'] });
const before = [await read(etc, '/etc/app/file'), await read(etc, '/etc/app/file'), await read(etc, at('data', 'file')), await read(root, '/mnt/file')];
execFileSync('umount', ['/etc/app']);
mount('--bind', at('later'), '/mnt');
const after = [await read(etc, '/etc/app/file'), await read(etc, at('data', 'file')), await read(root, '/mnt/file')];

// A procfs in a folder that programs may write to: what is above it they may rename, which no poll tells.
mkdirSync(at('tree', 'above', 'proc'), { recursive: true });
mount('-t', 'proc', 'proc', at('tree', 'above', 'proc'));
const tree = new Sandbox({ fsReadable: system, fsWritable: [at('tree')] });
const procfs = async (name) => [await read(tree, at('tree', name, 'proc', '1', 'comm')), await read(tree, at('tree', name, 'proc', 'version'))];
const renamed = [...await procfs('above'), (await tree.run(['mv', at('tree', 'above'), at('tree', 'other')])).exitCode, ...await procfs('other')];
console.log(JSON.stringify({ before, after, renamed }));

/**
 * A kernel to boot, and its modules.
 *
 * A package of Debian is downloaded by apt and unpacked into the cache, once. It is not installed: nothing of it becomes
 * part of this machine. Modules are unpacked as well, since what loads the first ones in a guest cannot do that.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

/**
 * @param {string} name a package, or a folder with one unpacked
 * @returns {{ image: string, modules: string }} modules: the folder with modules.dep
 */
export function findKernel(name, cache) {
  const folder = name.includes('/') ? resolve(name) : download(name, cache);
  const boot = join(folder, 'boot');
  const image = existsSync(boot) ? readdirSync(boot).find((file) => file.startsWith('vmlinuz-')) : undefined;
  if (image === undefined) throw new Error(`There is no kernel in ${boot}.`);
  const version = image.slice('vmlinuz-'.length);
  const base = ['', 'usr'].map((prefix) => join(folder, prefix)).find((path) => existsSync(join(path, 'lib/modules', version)));
  if (base === undefined) throw new Error(`There are no modules of ${version} in ${folder}.`);
  const modules = join(base, 'lib/modules', version);
  if (!existsSync(join(modules, 'modules.dep'))) {
    must(modules, 'find', '.', '-name', '*.ko.xz', '-exec', 'unxz', '{}', '+');
    must(modules, 'depmod', '-b', base, version);
  }
  return { image: join(boot, image), modules };
}

function download(name, cache) {
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  const part = `${folder}.part`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part, { recursive: true });
  must(part, 'apt-get', 'download', name);
  const [file] = readdirSync(part);
  must(part, 'dpkg-deb', '-x', file, '.');
  rmSync(join(part, file));
  renameSync(part, folder);
  return folder;
}

function must(cwd, command, ...args) {
  const { error, status, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (error !== undefined || status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
}

/**
 * Where @sandlock/sys lies, whose code is in the bundle and whose addon is not.
 *
 * It is where require.resolve() would find it. That takes as long as everything else about loading it, so the two places
 * that a package manager puts it are looked at first, in the order of Node's own search.
 */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const SCOPE = '@sandlock';
let known: string | undefined;

/** As import.meta.url in a file of its dist/. */
export function sysUrl(): string {
  return (known ??= pathToFileURL(join(found() ?? dirname(dirname(require.resolve(`${SCOPE}/sys`))), 'dist', 'index.js')).href);
}

function found(): string | undefined {
  const own = dirname(__dirname);
  const beside = dirname(own);
  const places = [join(own, 'node_modules', SCOPE, 'sys'), ...(basename(beside) === SCOPE ? [join(beside, 'sys')] : [])];
  return places.find((folder) => existsSync(join(folder, 'prebuilds')));
}

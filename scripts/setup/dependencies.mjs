/**
 * Dependencies: pnpm in a folder of the checkout, and what the lockfile names.
 *
 * A stamp in node_modules says which lockfile and which manifests they were installed from, so an unchanged
 * workspace is recognised without starting pnpm.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { pnpmFolder, root } from './root.mjs';
import { runStep } from './step.mjs';

const stampFile = join(root, 'node_modules/.sandlock-setup');

export function installDependencies() {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  if (installedPnpm() !== packageManager) {
    mkdirSync(pnpmFolder, { recursive: true });
    // A manifest of its own: without one npm climbs up to the workspace's and writes there.
    writeFileSync(join(pnpmFolder, 'package.json'), '{ "private": true }\n');
    runStep(`installing ${packageManager}`, 'npm',
      ['install', '--prefix', pnpmFolder, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts', packageManager]);
  }
  const stamp = manifestDigest();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  // CI=true: pnpm asks nothing when it has to replace a node_modules of another make.
  runStep('installing dependencies', 'pnpm', ['install', '--frozen-lockfile'], { env: { CI: 'true' } });
  writeFileSync(stampFile, stamp);
}

function installedPnpm() {
  const manifest = join(pnpmFolder, 'node_modules/pnpm/package.json');
  return existsSync(manifest) ? `pnpm@${JSON.parse(readFileSync(manifest, 'utf8')).version}` : undefined;
}

function manifestDigest() {
  const hash = createHash('sha256');
  const members = ['packages', 'apps'].flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}/package.json`));
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', '.npmrc', 'package.json', ...members.sort()]) {
    if (existsSync(join(root, file))) hash.update(`${file}\n`).update(readFileSync(join(root, file)));
  }
  return hash.digest('hex');
}

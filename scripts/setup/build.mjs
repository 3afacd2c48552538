/** The build, by turbo: it knows from its cache what has not changed. */
import { existsSync, lstatSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { root } from './root.mjs';
import { runStep } from './step.mjs';

export const turbo = join(root, 'node_modules/.bin/turbo');

export function build() {
  // Loose: CC, CXX and the like reach the native build.
  runStep('building', turbo, ['run', 'build', '--env-mode=loose', '--output-logs=errors-only']);
}

/**
 * node_modules/.bin/sandlock, as an installed package has it. pnpm makes no link to a file that is yet to be built.
 */
export function linkCommand() {
  const link = join(root, 'node_modules/.bin/sandlock');
  const command = '../../packages/cli/dist/sandlock.cjs';
  if (!existsSync(join(root, 'packages/cli/dist/sandlock.cjs'))) return;
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() && readlinkSync(link) === command) return;
  rmSync(link, { force: true });
  symlinkSync(command, link);
}

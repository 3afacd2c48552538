/** The folder of the checkout, and the tools in it that every script calls by path. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const pnpmFolder = join(root, '.cache/pnpm');

/** For child processes: our pnpm first in PATH, since turbo looks for it there, and nothing reported anywhere. */
export const toolEnvironment = {
  ...process.env,
  PATH: `${join(pnpmFolder, 'node_modules/.bin')}:${process.env.PATH}`,
  TURBO_TELEMETRY_DISABLED: '1',
  TURBO_NO_UPDATE_NOTIFIER: '1',
  DO_NOT_TRACK: '1',
};

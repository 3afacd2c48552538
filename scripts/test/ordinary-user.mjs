/**
 * A copy of the checkout for a user without rights.
 *
 * The checkout may stand where only root can look, and test tools write beside what they run, so the user gets a
 * copy of its own: without the history and the caches, owned by it.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { root } from '../setup/root.mjs';

/** No entry of the user table has it, and nothing on the machine is its own. */
const ID = '65533';
const AS_USER = ['setpriv', '--reuid', ID, '--regid', ID, '--clear-groups', '--bounding-set=-all', '--inh-caps=-all'];
const LEFT_OUT = new Set(['.git', '.cache', '.turbo']);

/** @returns {{ vitest: object, remove(): void }} vitest: what runVitest() needs to run there as that user */
export function ordinaryUserCopy() {
  const folder = mkdtempSync(join(tmpdir(), 'sandlock-user-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const checkout = join(folder, 'checkout');
    const scratch = join(folder, 'scratch');
    mkdirSync(checkout);
    mkdirSync(scratch);
    for (const name of readdirSync(root)) {
      // cp keeps the relative links of node_modules, and shares blocks where the file system can.
      if (!LEFT_OUT.has(name)) must('cp', '-a', '--reflink=auto', '--', join(root, name), checkout);
    }
    const node = reachableNode(folder);
    must('chown', '-R', `${ID}:${ID}`, '--', checkout, scratch);
    must('chmod', '-R', 'u+rwX', '--', checkout);
    chmodSync(folder, 0o755);
    must(...AS_USER, node, '-e', '0');
    const env = { HOME: scratch, TMPDIR: scratch, USER: 'sandlock-test', LOGNAME: 'sandlock-test' };
    return { vitest: { checkout, scratch, node, as: AS_USER, env }, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** This Node, or a copy of it where the user cannot reach it: in somebody's home, for one. */
function reachableNode(folder) {
  const [command, ...args] = [...AS_USER, process.execPath, '-e', '0'];
  if (spawnSync(command, args, { stdio: 'ignore', cwd: '/' }).status === 0) return process.execPath;
  const copy = join(folder, 'node');
  cpSync(process.execPath, copy);
  chmodSync(copy, 0o755);
  return copy;
}

function must(command, ...args) {
  const { error, status, stderr } = spawnSync(command, args, { encoding: 'utf8', cwd: '/' });
  if (error === undefined && status === 0) return;
  throw new Error(`The live tests cannot be run as an ordinary user: ${command}: ${error?.message ?? stderr.trim()}`);
}

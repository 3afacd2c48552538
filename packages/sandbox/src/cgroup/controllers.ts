/**
 * What can be limited in groups that this process makes in a control group.
 *
 * A controller has to be there, and switched on for the children. It is switched on where that is possible: not while there
 * are processes in the group itself, except in the root of all.
 * Documentation/admin-guide/cgroup-v2.rst, "Controlling Controllers", "No Internal Process Constraint"
 */
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs';

export type Controller = 'memory' | 'cpu';

export interface Offer {
  readonly has: readonly Controller[];
  /** Why not, by controller. */
  readonly lacks: ReadonlyMap<Controller, string>;
}

/** A control group that cannot be used, and why. */
export class UnusableCgroup extends Error {}

/**
 * @param directory a character a byte
 * @throws {UnusableCgroup} no group can be made in it
 */
export function offer(directory: string, wanted: readonly Controller[]): Offer {
  const listed = words(directory, 'cgroup.controllers');
  if (listed === undefined) throw new UnusableCgroup('it is no control group of version 2');
  const type = read(directory, 'cgroup.type')?.trim() ?? 'domain';
  if (type !== 'domain') throw new UnusableCgroup(`its type is "${type}"`);
  for (const name of ['', 'cgroup.procs']) {
    const code = denied(directory, name);
    if (code !== undefined) throw new UnusableCgroup(`${name === '' ? 'it' : `its ${name}`} may not be written to (${code})`);
  }
  const lacks = new Map<Controller, string>();
  for (const controller of wanted) {
    const why = listed.includes(controller) ? switchOn(directory, controller)
      : `has no ${controller} controller: cgroup.subtree_control of the group above has to name it`;
    if (why !== undefined) lacks.set(controller, why);
  }
  return { has: wanted.filter((controller) => !lacks.has(controller)), lacks };
}

/** @returns why that cannot be */
function switchOn(directory: string, controller: Controller): string | undefined {
  if (words(directory, 'cgroup.subtree_control')?.includes(controller)) return undefined;
  // The kernel would switch cpu on, and make the children unfit for processes.
  const isRoot = !existsSync(path(directory, 'cgroup.type'));
  if (!isRoot && read(directory, 'cgroup.procs')?.trim() !== '') return `cannot give its ${controller} controller to groups in it: there are processes in itself`;
  try {
    writeFileSync(path(directory, 'cgroup.subtree_control'), `+${controller}`);
    return undefined;
  } catch (error) {
    return `cannot give its ${controller} controller to groups in it (${codeOf(error)})`;
  }
}

function words(directory: string, name: string): readonly string[] | undefined {
  return read(directory, name)?.trim().split(/\s+/);
}

function read(directory: string, name: string): string | undefined {
  try {
    return readFileSync(path(directory, name), 'latin1');
  } catch {
    return undefined;
  }
}

function denied(directory: string, name: string): string | undefined {
  try {
    accessSync(path(directory, name), constants.W_OK);
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}

const path = (directory: string, name: string) => Buffer.from(`${directory}/${name}`, 'latin1');
const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code ?? String(error);

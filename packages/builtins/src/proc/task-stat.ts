/**
 * /proc/<pid>/stat of a sandbox that has a clock of its own, or sees other processors than it has: the machine's line, with the
 * start of the process or thread counted from where the sandbox's uptime begins, and on a processor that it sees.
 *
 * proc_pid_stat(5); fs/proc/array.c, do_task_stat()
 */
import { has, lowestCpu } from '../cpu/cpu-mask.js';
import { fieldAt, statFields, withFields } from '../stat-line.js';
import type { Task } from './task-file.js';
import type { VirtualBoot } from './virtual-boot.js';

/** Numbers of fields. */
const STATE = 3, STARTTIME = 22, WCHAN = 35, PROCESSOR = 39;

/**
 * @param boot     left out: starts are the machine's
 * @throws {Error} it is no such line
 */
export function shownStat(line: string, boot: Pick<VirtualBoot, 'ticksSince'> | undefined, { cpus, asks }: Task): string {
  const fields = statFields(line) ?? [];
  const [start, processor] = [fieldAt(fields, STARTTIME) ?? '', fieldAt(fields, PROCESSOR) ?? ''];
  if (!/^\d+$/.test(start) || !/^\d+$/.test(processor) || !line.endsWith('\n')) throw new Error('This is no line of /proc/<pid>/stat.');
  const words = new Map<number, string>();
  if (boot !== undefined) words.set(STARTTIME, String(boot.ticksSince(Number(start))));
  if (cpus !== undefined && !has(cpus, Number(processor))) words.set(PROCESSOR, String(lowestCpu(cpus)));
  if (asks) words.set(STATE, 'R').set(WCHAN, '0');
  return withFields(line, words);
}

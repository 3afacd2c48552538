/**
 * /proc/<pid>/status of a sandbox that sees other processors than it has: the machine's text, with those that sched_getaffinity(2)
 * gives there. Nodes of memory are the machine's in both.
 *
 * proc_pid_status(5); kernel/cgroup/cpuset.c, cpuset_task_status_allowed(); fs/proc/array.c, task_cpus_allowed()
 */
import { cpuList, cpuMap } from '../cpu/cpu-text.js';
import type { Task } from './task-file.js';

// The kernel escapes a newline in the name of a process, so what begins a line is its own.
const STATE = /^State:\t.*$/m;
const MASK = /^(Cpus_allowed:\t)(.*)$/m;
const LIST = /^(Cpus_allowed_list:\t).*$/m;

export function shownStatus(text: string, { cpus, asks }: Task): string {
  const shown = cpus === undefined ? text : text
    .replace(MASK, (_, label: string, machines: string) => label + cpuMap(cpus, machines))
    .replace(LIST, (_, label: string) => label + cpuList(cpus));
  return asks ? shown.replace(STATE, 'State:\tR (running)') : shown;
}

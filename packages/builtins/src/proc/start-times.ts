/**
 * /proc/<pid>/stat of a sandbox that has a clock of its own: the machine's line, with the start of the process or thread counted
 * from where the sandbox's uptime begins.
 *
 * The rest is what the kernel would say to whoever asks. It shows addresses of another process to those alone who may trace it.
 * proc_pid_stat(5); ptrace(2), "Ptrace access mode checking"; fs/proc/array.c, do_task_stat()
 */
import { AT_FDCWD, close, O_RDONLY, openat, read } from '@sandlock/sys';

import { asTarget } from '../open/as-target.js';
import { readTaskStatus } from '../open/task-status.js';
import { unlessGone } from '../proc-file.js';
import type { Members } from '../views/members.js';
import type { ViewContent } from '../views/view-file.js';
import type { VirtualBoot } from './virtual-boot.js';

/** The longest line is far shorter: 16 bytes of name, 52 numbers. */
const buffer = Buffer.alloc(4096);
/** Numbers of fields. */
const STATE = 3, STARTTIME = 22, WCHAN = 35;

/** Content of `/proc/<pid>/stat` and `/proc/<pid>/task/<tid>/stat`. */
export function startTimes(members: Members, boot: VirtualBoot): ViewContent {
  return ({ asker, subject, name }) => unlessGone(() => {
    // The descriptor is of one process, whoever has the number later, and cannot be read when that is gone. So when it can be
    // read, it was this process that was found to be a member in between.
    const fd = openat(AT_FDCWD, name, O_RDONLY);
    try {
      if (!members.isMember(subject.pid)) return undefined;
      const status = readTaskStatus(asker.pid);
      if (status === undefined) return undefined;
      const length = asTarget(asker.pid, status, () => read(fd, buffer));
      return shownStat(buffer.subarray(0, length), (ticks) => boot.ticksSince(ticks), subject.pid === asker.pid);
    } finally {
      close(fd);
    }
  });
}

/**
 * @param since    what a start is shown as
 * @param isAsker  it is of the thread that asks: for the kernel that one runs, and for us it waits for our answer
 * @throws {Error} it is no such line
 */
export function shownStat(line: Buffer, since: (ticks: number) => number, isAsker: boolean): Buffer {
  const text = line.toString('latin1');
  // The name, in brackets, is of the process's own choice and may hold brackets and blanks itself.
  const behindName = text.lastIndexOf(') ') + 2;
  const fields = text.slice(behindName).split(' ');
  const at = (field: number): number => field - STATE;
  const ticks = fields[at(STARTTIME)] ?? '';
  if (behindName < 2 || !/^\d+$/.test(ticks) || !text.endsWith('\n')) throw new Error('This is no line of /proc/<pid>/stat.');
  fields[at(STARTTIME)] = String(since(Number(ticks)));
  if (isAsker) {
    fields[at(STATE)] = 'R';
    fields[at(WCHAN)] = '0';
  }
  return Buffer.from(text.slice(0, behindName) + fields.join(' '), 'latin1');
}

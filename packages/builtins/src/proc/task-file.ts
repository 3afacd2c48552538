/**
 * Files of /proc/<pid> that are the machine's with a few fields of our own.
 *
 * The rest is what the kernel would say to whoever asks. It shows addresses of another process to those alone who may trace it.
 * ptrace(2), "Ptrace access mode checking"
 */
import { AT_FDCWD, close, O_RDONLY, openat, read } from '@sandlock/sys';

import type { CpuMask } from '../cpu/cpu-mask.js';
import type { VisibleCpus } from '../cpu/visible-cpus.js';
import { asTarget } from '../open/as-target.js';
import { readTaskStatus } from '../open/task-status.js';
import { unlessGone } from '../proc-file.js';
import type { Members } from '../views/members.js';
import type { ViewContent } from '../views/view-file.js';

/** With the most groups that a process can be in, a status has some 720 kB; one read gives all of it. limits.h, NGROUPS_MAX */
const buffer = Buffer.alloc(1 << 20);

export interface Task {
  /** What it sees of the processors that it may run on; undefined where these are the machine's. */
  readonly cpus: CpuMask | undefined;
  /** It is the one that asks: for the kernel that one runs, and for us it waits for our answer. */
  readonly asks: boolean;
}

/**
 * @param cpus   where the sandbox sees others than it has
 * @param shown  what becomes of the machine's text, a character a byte. Throws where it is no such text
 */
export function taskFile(members: Members, cpus: VisibleCpus | undefined, shown: (text: string, task: Task) => string): ViewContent {
  return ({ asker, subject, name }) => unlessGone(() => {
    // The descriptor is of one process, whoever has the number later, and cannot be read when that is gone. So when it can be
    // read, it was this process that was found to be a member in between.
    const fd = openat(AT_FDCWD, name, O_RDONLY);
    try {
      const seen = cpus?.of(subject.pid);
      if (!members.isMember(subject.pid)) return undefined;
      const status = readTaskStatus(asker.pid);
      if (status === undefined) return undefined;
      const length = asTarget(asker.pid, status, () => read(fd, buffer));
      return Buffer.from(shown(buffer.toString('latin1', 0, length), { cpus: seen, asks: subject.pid === asker.pid }), 'latin1');
    } finally {
      close(fd);
    }
  });
}

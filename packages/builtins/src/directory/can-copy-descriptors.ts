/**
 * Whether a descriptor of another process can be copied here.
 *
 * The default filter of Docker denies pidfd_getfd(2) to a process without CAP_SYS_PTRACE. It is tried on this process
 * itself, which no other check refuses.
 */
import { close, pidfdGetfd, pidfdOpen, SyscallError } from '@sandlock/sys';

let known: boolean | undefined;

export function canCopyDescriptors(): boolean {
  return (known ??= tried());
}

function tried(): boolean {
  const opened: number[] = [];
  try {
    const pidfd = pidfdOpen(process.pid);
    opened.push(pidfd);
    opened.push(pidfdGetfd(pidfd, pidfd));
    return true;
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    return false;
  } finally {
    opened.forEach(close);
  }
}

/**
 * A failed step between clone and exec, as the error a caller can act on.
 *
 * The program's own exit code 127 never looks like this: a start that failed rejects, a program that ran resolves.
 */
import { errnoName, type StartStep, type SyscallError } from '@sandlock/sys';

import { ConfinementError, type ErrorDetails, ProcessError } from '../errors.js';

const STEP_TEXT: Partial<Record<StartStep, string>> = {
  plan: 'the guard could not set itself up; close_range(2) is needed (Linux 5.9, and some filters of containers refuse it)',
  clone: 'the process could not be created',
  session: 'a session of its own could not be made',
  terminal: 'the terminal could not be handed over',
  personality: 'address space randomisation could not be switched off',
  affinity: 'the CPU affinity could not be set; cpuCores may name cores that this machine does not have',
  'huge-pages': 'transparent huge pages could not be switched off',
  coredump: 'the core dump limit could not be set',
  'user-namespace': 'the user namespace for "user" could not be made; unprivileged ones may be restricted here '
    + '(kernel.apparmor_restrict_unprivileged_userns, user.max_user_namespaces, or a container\'s filter)',
  cwd: 'the working directory could not be entered',
  capabilities: 'the capabilities could not be dropped',
  'no-new-privs': 'no_new_privs could not be set',
  'open-files': 'the limit of open files could not be set',
  proc: '/proc was not usable; it has to be mounted, readable and of this pid namespace, or processes that the program leaves could '
    + 'not be found',
  cgroup: 'the process could not be put into its control group; for that, cgroup.procs of the closest group that is above both it and '
    + 'this process has to be writable',
  handover: 'the listener could not be handed over; close_range(2) is needed',
};

const EXEC_HINTS: Record<string, string> = {
  ENOENT: 'No such program, or its interpreter or dynamic loader does not exist.',
  EACCES: 'It is not executable, or no grant covers it, its interpreter or its dynamic loader: fsReadable includes execution.',
  ENOEXEC: 'Its format is unknown; a script needs a #! line.',
  E2BIG: 'Arguments and environment together are too large.',
};

export function startError(step: StartStep, errno: number, program: string): ConfinementError | ProcessError {
  const name = errnoName(errno) ?? `errno ${errno}`;
  const details = { step, errno: -errno };
  if (step === 'exec') {
    const hint = EXEC_HINTS[name];
    return new ProcessError('ERR_SANDLOCK_EXEC', `Cannot execute ${JSON.stringify(program)} (${name}).${hint ? ` ${hint}` : ''}`,
      { ...details, syscall: 'execve', path: program });
  }
  if (step === 'seccomp') return seccompError(name, details);
  if (step === 'landlock') {
    const hint = name === 'E2BIG' ? ' There can be at most 16 rulesets, and outer sandboxes count.' : '';
    return new ConfinementError('ERR_SANDLOCK_LANDLOCK', `The ruleset could not be enforced (${name}).${hint}`,
      { ...details, syscall: 'landlock_restrict_self' });
  }
  return new ProcessError('ERR_SANDLOCK_CHILD_SETUP', `Before exec, ${STEP_TEXT[step] ?? `step ${step} failed`} (${name}).`, details);
}

const SPAWN_HINTS: Record<string, string> = {
  E2BIG: 'Arguments and environment are too large, together or one alone.',
  EBADF: 'A descriptor given as stdin, stdout, stderr or in fds is not open.',
  EAGAIN: 'The user, or the control group that this process is in, has as many processes as it may have.',
  EMFILE: 'This process has as many open descriptors as it may have.',
  ENFILE: 'The machine has as many open files as it may have.',
};

/** No process came about. */
export function spawnError(error: SyscallError): ProcessError {
  const hint = SPAWN_HINTS[error.code];
  return new ProcessError('ERR_SANDLOCK_SPAWN', `The process could not be started: ${error.message}.${hint ? ` ${hint}` : ''}`,
    { errno: error.errno, syscall: error.syscall, cause: error });
}

const NO_SECCOMP = 'seccomp(2) is missing or refused here: by a kernel without CONFIG_SECCOMP_FILTER, or by a filter around this process, such as a container\'s.';

const SECCOMP_HINTS: Record<string, string> = {
  EINVAL: 'Listeners need Linux 5.0 with CONFIG_SECCOMP_FILTER, and some container runtimes that stand in for the kernel lack them. '
    + 'With noSupervisor a run does without.',
  EMFILE: 'maxOpenFiles, or the limit that is inherited, leaves no descriptor for its listener; a program needs about 4.',
  ENOSYS: NO_SECCOMP,
  EPERM: NO_SECCOMP,
  EACCES: NO_SECCOMP,
};

/** @param details `cause`: what went wrong before it came to that */
export function listenerBusy(details: ErrorDetails): ConfinementError {
  return new ConfinementError('ERR_SANDLOCK_LISTENER_BUSY',
    'An outer sandbox already owns the listener of this process; only one is possible. Give the outer one the option '
    + 'noSupervisor, or this one.', { ...details, syscall: 'seccomp' });
}

function seccompError(name: string, details: { step: string; errno: number }): ConfinementError {
  if (name === 'EBUSY') return listenerBusy(details);
  const hint = SECCOMP_HINTS[name];
  return new ConfinementError('ERR_SANDLOCK_SECCOMP', `The kernel refused the filter (${name}).${hint ? ` ${hint}` : ''}`,
    { ...details, syscall: 'seccomp' });
}

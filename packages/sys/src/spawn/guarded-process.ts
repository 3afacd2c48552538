/**
 * A guarded process: the supervisor's end of the conversation with a guard.
 *
 * The guard's messages become callbacks, in order; the last is `ended`, when the guard itself is gone and with it
 * every process of the tree. Nothing here is signalled by a stored pid: the guard does it, and it is the one that
 * reaps. native/plan.h, enum guard_message_type.
 */
import { binding, type LifelineHandle } from '../binding.js';
import { SyscallError, check } from '../errors.js';
import { FdWatcher, UV_READABLE } from '../fd-watcher.js';
import { cString, close } from '../files.js';
import { reapPidfd } from '../process.js';
import { guardProgramFd } from './guard-program.js';
import { encodePlan, GUARD_BASE, type StartPlan } from './plan.js';
import { type StartStep, startSteps } from './steps.js';

const SOCK_SEQPACKET_CLOEXEC = 5 | 0o2000000;
const SHUT_RDWR = 2;

const message = {
  started: 1, parked: 2, listener: 3, execed: 4, failed: 5, stopped: 6, continued: 7, exited: 8,
  release: 32, kill: 33, signal: 34, signalTree: 35, foreground: 36,
} as const;

/** How the target ended, and what it used with the children it waited for. getrusage(2) */
export interface TargetExit {
  /** Exit code, or null when a signal ended it. */
  code: number | null;
  /** Signal number, or null. */
  signal: number | null;
  userMs: number;
  systemMs: number;
  maxRssBytes: number;
}

export interface GuardCallbacks {
  started?(pid: number): void;
  /** Confined, and waiting for release. */
  parked?(): void;
  /** The listener; the callee owns it. `waitKillable`: WAIT_KILLABLE_RECV is on. */
  listener?(listenerFd: number, waitKillable: boolean): void;
  execed?(): void;
  /** A step before exec failed; nothing of the program ran. */
  failed?(step: StartStep, errno: number): void;
  stopped?(signal: number): void;
  continued?(): void;
  /** The target itself ended; the guard now ends the rest. */
  exited?(exit: TargetExit): void;
  /** The guard is gone and reaped. No process of the tree is left, unless something killed the guard: `clean` is false then. */
  ended(clean: boolean): void;
}

export class GuardedProcess {
  readonly #callbacks: GuardCallbacks;
  readonly #control: number;
  readonly #pidfd: number;
  readonly #lifeline: LifelineHandle;
  readonly #controlWatcher: FdWatcher;
  readonly #pidfdWatcher: FdWatcher;
  readonly #record = Buffer.alloc(binding().guardMessageBytes);
  readonly #received = new Int32Array(1);
  #open = true;
  #clean = false;

  /** Process id of the guard, the parent of the target; nobody else's until `ended`. */
  readonly guardPid: number;

  private constructor(control: number, guardPid: number, pidfd: number, callbacks: GuardCallbacks) {
    this.guardPid = guardPid;
    this.#control = control;
    this.#pidfd = pidfd;
    this.#callbacks = callbacks;
    // Before the watchers: hooks run last one first, and these let go of the descriptors before it closes them.
    this.#lifeline = new (binding().Lifeline)(control, pidfd);
    this.#controlWatcher = new FdWatcher(control, UV_READABLE, () => {
      if (!this.#drain()) this.#controlWatcher.close(); // end of file: the pidfd tells the rest
    });
    this.#pidfdWatcher = new FdWatcher(pidfd, UV_READABLE, () => this.#guardEnded());
  }

  /**
   * Starts a guard and through it a target.
   *
   * @throws {SyscallError} the guard could not be started (EAGAIN: a process limit; EMFILE; ENOMEM)
   */
  static spawn(plan: StartPlan, callbacks: GuardCallbacks): GuardedProcess {
    const ends = new Int32Array(2);
    check('socketpair', binding().socketpair(ends, SOCK_SEQPACKET_CLOEXEC));
    const [ours, theirs] = [ends[0]!, ends[1]!];
    let planFd = -1;
    try {
      planFd = encodePlan(plan);
      const [pid, pidfd] = spawnGuard(plan, theirs, planFd);
      return new GuardedProcess(ours, pid, pidfd, callbacks);
    } catch (error) {
      close(ours);
      throw error;
    } finally {
      close(theirs);
      if (planFd >= 0) close(planFd);
    }
  }

  /** Lets a parked target go on to its exec. */
  release(): void {
    this.#tell(message.release);
  }

  /** SIGKILL to every process of the tree; `ended` follows. Nothing happens when it has ended. */
  kill(): void {
    this.#tell(message.kill);
  }

  /** A signal to the target's process group. */
  signal(signal: number): void {
    this.#tell(message.signal, signal);
  }

  /** A signal to every process of the tree, also those that left the group: SIGSTOP, SIGCONT. */
  signalTree(signal: number): void {
    this.#tell(message.signalTree, signal);
  }

  /** Gives an interactive target the terminal, and continues it. */
  foreground(): void {
    this.#tell(message.foreground);
  }

  /** Does not keep the event loop alive. */
  unref(): void {
    this.#controlWatcher.unref();
    this.#pidfdWatcher.unref();
  }

  /** Keeps the event loop alive until the guard is gone: the default. */
  ref(): void {
    this.#controlWatcher.ref();
    this.#pidfdWatcher.ref();
  }

  #tell(type: number, argument = 0): void {
    if (!this.#open) return;
    const result = binding().sendMessage(this.#control, binding().encodeMessage(type, argument));
    // The guard has gone (EPIPE, ECONNRESET): its pidfd tells. To one that takes no message any more the end of the
    // conversation is the order to end everything; killing it would leave its tree behind.
    if (result < 0 && new SyscallError('sendmsg', result).code === 'EAGAIN') binding().shutdown(this.#control, SHUT_RDWR);
  }

  /** @returns false once the guard closed its end */
  #drain(): boolean {
    while (this.#open) {
      const length = binding().recvMessage(this.#control, this.#record, this.#received);
      if (length <= 0) return length < 0 && ['EAGAIN', 'EINTR'].includes(new SyscallError('recvmsg', length).code);
      this.#deliver(this.#received[0]!);
    }
    return false;
  }

  #deliver(fd: number): void {
    const fields = binding().decodeMessage(this.#record);
    if (!fields) return;
    const [type, a, b, userUs, systemUs, maxRssKib] = fields;
    const to = this.#callbacks;
    if (type === message.listener && fd >= 0) {
      if (to.listener) to.listener(fd, a === 1);
      else close(fd);
      return;
    }
    if (fd >= 0) close(fd);
    if (type === message.started) to.started?.(a);
    else if (type === message.parked) to.parked?.();
    else if (type === message.execed) to.execed?.();
    else if (type === message.stopped) to.stopped?.(a);
    else if (type === message.continued) to.continued?.();
    else if (type === message.failed) {
      this.#clean = true;
      to.failed?.(startSteps[a] ?? 'none', b);
    } else if (type === message.exited) {
      this.#clean = true;
      to.exited?.({
        code: b ? null : a,
        signal: b || null,
        userMs: userUs / 1000,
        systemMs: systemUs / 1000,
        maxRssBytes: maxRssKib * 1024,
      });
    }
  }

  #guardEnded(): void {
    if (!this.#open) return;
    this.#drain();
    if (!reapPidfd(this.#pidfd)) return;
    this.#open = false;
    this.#lifeline.release();
    this.#controlWatcher.close();
    this.#pidfdWatcher.close();
    close(this.#control);
    close(this.#pidfd);
    this.#callbacks.ended(this.#clean);
  }
}

/** @returns the guard's pid and pidfd */
function spawnGuard(plan: StartPlan, controlFd: number, planFd: number): [number, number] {
  const moves = [plan.stdio[0], 0, plan.stdio[1], 1, plan.stdio[2], 2];
  for (const [target, source] of plan.fds ?? []) moves.push(source, target);
  moves.push(controlFd, GUARD_BASE, planFd, GUARD_BASE + 1);
  if (plan.rulesetFd !== undefined) moves.push(plan.rulesetFd, GUARD_BASE + 2);
  const argv = ['sandlock-guard', String(GUARD_BASE), ...plan.argv].map(cString);
  const pidfd = new Int32Array(1);
  const above = GUARD_BASE + binding().guardFds;
  const env = plan.env.map(cString);
  const pid = check('clone', binding().spawnGuard(guardProgramFd(), argv, env, Int32Array.from(moves), above, pidfd));
  return [pid, pidfd[0]!];
}

/**
 * A target's socket, used in place, without a descriptor of this process.
 *
 * A copy from pidfd_getfd(2) must be closed, and a target chooses what it is a copy of. Closing a copy of a file releases
 * every fcntl(2) lock that this process holds on it; closing the last one of a socket can wait for as long as the
 * target says. So the copy stands in a descriptor table apart, and no call here takes longer than 250 ms.
 * native/addon/apart.cc
 */
import { binding, type ApartHandle } from './binding.js';
import { PIDFD_THREAD } from './constants.js';
import { check, SyscallError } from './errors.js';

export class TargetSocket {
  readonly #apart: ApartHandle;

  private constructor(apart: ApartHandle) {
    this.#apart = apart;
  }

  /**
   * @param tid       a thread of the target
   * @param targetFd  descriptor number in the target; need not be a socket: the calls below say so
   * @throws {SyscallError} EBADF no such descriptor, EPERM no ptrace access, ESRCH target is gone; EINVAL, before
   *   Linux 6.9, a thread that does not lead its process; EAGAIN too many that do not answer; ETIMEDOUT
   */
  static open(tid: number, targetFd: number): TargetSocket {
    let result = 0;
    for (const flags of [PIDFD_THREAD, 0]) {
      const apart = new (binding().Apart)();
      result = apart.open(tid, flags, targetFd);
      if (result >= 0) return new TargetSocket(apart);
      apart.end();
      if (new SyscallError('pidfd_getfd', result).code !== 'EINVAL') break; // the flag is not known before Linux 6.9
    }
    throw new SyscallError('pidfd_getfd', result);
  }

  /** @see getsockoptInt */
  getsockoptInt(level: number, option: number): number {
    return check('getsockopt', this.#apart.getsockoptInt(level, option));
  }

  /** @see getsocknamePort */
  getsocknamePort(): number {
    return check('getsockname', this.#apart.getsocknamePort());
  }

  /** @see listen */
  listen(backlog: number): void {
    check('listen', this.#apart.listen(backlog));
  }

  /** @see shutdown */
  shutdown(how: number): void {
    check('shutdown', this.#apart.shutdown(how));
  }

  /** Lets go of it, and waits a moment until that has happened. Idempotent. */
  end(): void {
    this.#apart.end();
  }
}

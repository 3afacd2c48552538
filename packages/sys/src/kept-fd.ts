/**
 * KeptFd: a descriptor that is closed with its object. For what is kept where nobody says when it ends: what is dropped is closed
 * when it is collected, and what a worker thread has when that is ended, by whomever and in the middle of whatever.
 */
import { binding, type KeptFdHandle } from './binding.js';

export class KeptFd {
  readonly fd: number;
  readonly #handle: KeptFdHandle;

  /** @param fd nobody else closes it from now on */
  constructor(fd: number) {
    this.fd = fd;
    this.#handle = new (binding().KeptFd)(fd);
  }

  /** Earlier than it would be. Once more does nothing. */
  close(): void {
    this.#handle.close();
  }

  /** Hands it over. @returns its number; whoever takes it closes it */
  release(): number {
    this.#handle.release();
    return this.fd;
  }
}

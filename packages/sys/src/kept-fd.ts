/**
 * KeptFd: a descriptor that is closed with its object. For what is kept from one call to the next, where nobody says
 * when it ends: what is dropped is closed when it is collected, and what a worker thread has kept when that ends.
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
}

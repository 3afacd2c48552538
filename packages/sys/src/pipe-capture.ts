/**
 * PipeCapture: what comes out of a pipe, kept up to a limit without entering JavaScript on the way.
 *
 * It is read to its end also beyond the limit, or whoever writes would wait for good. Until then it is watched on the event
 * loop of the current thread.
 */
import { binding, type PipeCaptureHandle } from './binding.js';
import { UV_READABLE } from './fd-watcher.js';
import { Watcher } from './watcher.js';

export interface PipeCaptureOptions {
  /** To read from; stays the caller's, who closes this watcher before it. It does not block any more. */
  readonly fd: number;
  /** How much is kept, in bytes. */
  readonly limitBytes: number;
  /** Called once, at the end of the pipe. */
  readonly onEnd: () => void;
}

export class PipeCapture extends Watcher {
  readonly #handle: PipeCaptureHandle;

  constructor({ fd, limitBytes, onEnd }: PipeCaptureOptions) {
    const handle = new (binding().PipeCapture)(fd, limitBytes, onEnd);
    super(handle, UV_READABLE, 0);
    this.#handle = handle;
  }

  /** How much has come so far, in bytes, also of what was not kept. */
  get totalBytes(): number {
    return this.#handle.total();
  }

  /** Reads what is there, up to 1 MiB. @returns whether that was the end, of which nobody is called back then */
  drain(): boolean {
    return this.#handle.drain();
  }

  /** Hands over what was kept so far; nothing more is kept. */
  take(): Buffer {
    return this.#handle.take();
  }
}

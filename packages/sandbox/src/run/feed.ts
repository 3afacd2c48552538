/**
 * Input for stdin: bytes, text or a stream. A program that does not read it all is no error.
 *
 * However a stream ends, the program sees the end of its input: it would wait for more otherwise. Not by pipe(), which
 * waits for good for a stream that was destroyed, and throws at nobody in particular for a chunk that is no bytes.
 */
import type { Readable, Writable } from 'node:stream';

export function feed(stdin: Writable, input: string | Uint8Array | Readable): void {
  if (typeof input === 'string' || input instanceof Uint8Array) {
    stdin.end(input);
    return;
  }
  // Loaded only for a stream.
  const { finished } = process.getBuiltinModule('node:stream');
  const more = (): void => void input.resume();
  const take = (chunk: unknown): void => {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) {
      input.off('data', take); // it may have more in store
      input.destroy(new TypeError('The input of a run yielded what is neither text nor bytes.'));
    } else if (!stdin.write(chunk)) {
      input.pause();
      stdin.once('drain', more);
    }
  };
  // An input that breaks ends what the program reads; its error stays with whoever made the stream.
  // Also one that comes when the program is gone.
  input.on('error', () => undefined);
  const forget = finished(input, { writable: false }, () => stdin.end());
  stdin.once('close', () => {
    forget();
    input.off('data', take);
    input.pause();
  });
  input.on('data', take);
  input.resume(); // it may have been paused, or be read by somebody before
}

/** Input for stdin: bytes, text or a stream. A program that does not read it all is no error. */
import type { Readable, Writable } from 'node:stream';

export function feed(stdin: Writable, input: string | Uint8Array | Readable): void {
  if (typeof input === 'string' || input instanceof Uint8Array) {
    stdin.end(input);
    return;
  }
  // An input that breaks ends what the program reads; its error stays with whoever made the stream.
  input.once('error', () => stdin.end());
  stdin.once('close', () => input.unpipe(stdin));
  input.pipe(stdin);
}

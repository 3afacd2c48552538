/**
 * What paths lead to, looked up once for each start. A character a byte.
 */
import { realpathSync } from 'node:fs';

export class RealPaths {
  readonly #found = new Map<string, string | undefined>();

  /** @returns undefined: it is not there any more, which whoever opens it will find */
  of(path: Uint8Array): string | undefined {
    const bytes = Buffer.from(path.buffer, path.byteOffset, path.byteLength);
    const given = bytes.toString('latin1');
    if (!this.#found.has(given)) this.#found.set(given, resolved(bytes));
    return this.#found.get(given);
  }
}

function resolved(path: Buffer): string | undefined {
  try {
    return realpathSync.native(path, 'latin1');
  } catch {
    return undefined;
  }
}

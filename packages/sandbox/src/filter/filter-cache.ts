/**
 * Compiled filters, kept: compiling takes longer than a short program runs.
 *
 * A filter depends on nothing but its description, and that on nothing but the policy of a sandbox and what its table
 * registers. So the runs of one sandbox share theirs, by what is registered; and where the caller has a store, one process
 * can leave it to the next, by the whole description.
 */
import { compileFilter, type FilterDescription } from '@sandlock/bpf';

import { keyText } from './key-text.js';

/**
 * Keeps filters from one process to the next. What {@link read} gives is installed unseen, so a store must be where only those can
 * write who could as well change the program that uses it.
 */
export interface FilterStore {
  /** @param description the whole of it, to be compared as it is @returns undefined: none is kept */
  read(description: string): Uint8Array | undefined;
  write(description: string, filter: Uint8Array): void;
}

export class FilterCache {
  readonly #compiled = new Map<string, Uint8Array>();
  readonly #store: FilterStore | undefined;

  /** For one policy. */
  constructor(store?: FilterStore) {
    this.#store = store;
  }

  /**
   * @param registered everything but the policy that the description depends on
   * @returns struct sock_filter, 8 bytes each
   */
  filter(registered: unknown, describe: () => FilterDescription): Uint8Array {
    const key = keyText(registered);
    let bytes = this.#compiled.get(key);
    if (bytes === undefined) {
      bytes = this.#fromStore(describe());
      this.#compiled.set(key, bytes);
    }
    return bytes;
  }

  #fromStore(description: FilterDescription): Uint8Array {
    if (this.#store === undefined) return compileFilter(description).bytes;
    const text = keyText(description);
    const kept = this.#store.read(text);
    if (kept !== undefined) return kept;
    const { bytes } = compileFilter(description);
    this.#store.write(text, bytes);
    return bytes;
  }
}

/**
 * What one process draws from the generator.
 *
 * Each kind of drawing has a branch of its own, so that one of them moves no other: a program that opens /dev/urandom
 * once more still gets the same bytes from getrandom(2). The labels are part of what is frozen; see random-tree.ts.
 */
import type { RandomStream, RandomTree } from './random-tree.js';

export class ProcessRandom {
  readonly #tree: RandomTree;
  readonly #streams = new Map<string, RandomStream>();
  #opens = 0;

  constructor(tree: RandomTree) {
    this.#tree = tree;
  }

  child(place: number): ProcessRandom {
    return new ProcessRandom(this.#tree.branch('child', place));
  }

  /** What getrandom(2) gives, and goes on giving after exec. */
  get calls(): RandomStream {
    return this.#stream('getrandom');
  }

  /** What images start with, one after the other. */
  get images(): RandomStream {
    return this.#stream('image');
  }

  get uuids(): RandomStream {
    return this.#stream('uuid');
  }

  /** What a newly opened device gives, from its first byte. */
  openDevice(): RandomStream {
    return this.#tree.branch('device', this.#opens++).stream();
  }

  #stream(label: string): RandomStream {
    let stream = this.#streams.get(label);
    if (stream === undefined) this.#streams.set(label, stream = this.#tree.branch(label).stream());
    return stream;
  }
}

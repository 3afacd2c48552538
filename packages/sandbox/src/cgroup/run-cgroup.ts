/**
 * The control group of one run.
 *
 * Its name cannot be guessed, the guard puts the program into it, and whoever is in it at the end is ended. It goes with the
 * run; where this process ends first, the guard removes it.
 */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';

import { setLimits, type CgroupLimits } from './limits.js';
import { finalUse, usedBytes, type CgroupUse } from './usage.js';

/** Who was killed is gone in a moment; one that the kernel cannot end yet keeps the group. */
const PATIENCE_MS = 2000;
const STEP_MS = 10;

/** Without node:crypto, which takes long to load. random(4) */
const uuid = () => readFileSync('/proc/sys/kernel/random/uuid', 'latin1').trim();

export class RunCgroup {
  /** A character a byte. */
  readonly directory: string;
  readonly limits: CgroupLimits;

  private constructor(directory: string, limits: CgroupLimits) {
    this.directory = directory;
    this.limits = limits;
  }

  /** @throws the group cannot be made, or does not take its limits: then there is none */
  static make(parent: string, limits: CgroupLimits): RunCgroup {
    const group = new RunCgroup(`${parent}/sandlock-${uuid()}`, limits);
    mkdirSync(group.#path());
    try {
      setLimits(group.directory, limits);
      const type = readFileSync(group.#path('cgroup.type'), 'latin1').trim();
      if (type !== 'domain') throw new Error(`a group in it is of the type "${type}"`);
    } catch (error) {
      group.discard();
      throw error;
    }
    return group;
  }

  usedBytes(): number {
    return usedBytes(this.directory);
  }

  /** Takes back one that nobody was ever in. */
  discard(): void {
    this.#removed();
  }

  /** Ends whoever is still in it, and removes it. */
  async end(): Promise<CgroupUse> {
    const use = finalUse(this.directory);
    for (let waitedMs = 0; !this.#removed() && waitedMs < PATIENCE_MS; waitedMs += STEP_MS) {
      this.#kill();
      await new Promise<void>((resolve) => { setTimeout(resolve, STEP_MS); });
    }
    return use;
  }

  #kill(): void {
    try {
      writeFileSync(this.#path('cgroup.kill'), '1');
    } catch {
      // There is none before Linux 5.14, and none any more when the guard was first: the next look tells.
    }
  }

  #removed(): boolean {
    try {
      rmdirSync(this.#path());
      return true;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT';
    }
  }

  #path(name = ''): Buffer {
    return Buffer.from(`${this.directory}/${name}`, 'latin1');
  }
}

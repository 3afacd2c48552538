/**
 * Simulation: what would this program answer?
 */
import { type Action, decodeAction, SECCOMP_RET_DATA } from './action.js';
import { type Program } from './instruction.js';
import { Machine } from './program/machine.js';
import { validInstructions } from './program/validate.js';
import { type SeccompData, seccompDataWords } from './seccomp-data.js';

export interface Simulation {
  readonly action: Action;
  /** The low 16 bits of the return value: the errno, or what a tracer or signal handler gets. */
  readonly data: number;
  /** The return value as it stands. */
  readonly value: number;
  /** The instructions that ran, by index. */
  readonly path: readonly number[];
  /** How many ran. */
  readonly steps: number;
}

/**
 * Runs a program over one system call.
 *
 * @throws {FilterError} ERR_SANDLOCK_FILTER_INVALID for a program that the kernel would refuse
 */
export function simulate(program: Program, data: SeccompData): Simulation {
  const path: number[] = [];
  const value = new Machine(validInstructions(program)).run(seccompDataWords(data), 0, path);
  return { action: decodeAction(value), data: value & SECCOMP_RET_DATA, value, path, steps: path.length };
}

/**
 * A program made ready to run often: millions of times a second.
 *
 * @returns a function from sixteen 32-bit words ({@link seccompDataWords}), from `start` on, to the return value;
 *   a list passed as `path` gets the index of each instruction that runs
 * @throws {FilterError} ERR_SANDLOCK_FILTER_INVALID for a program that the kernel would refuse
 */
export function simulator(program: Program): (words: ArrayLike<number>, start?: number, path?: number[]) => number {
  const machine = new Machine(validInstructions(program));
  return (words, start = 0, path) => machine.run(words, start, path);
}

/** What one run is asked for beside the sandbox's own options. */
import type { HandlerBinding } from '@sandlock/dispatch';
import type { Readable } from 'node:stream';

import { parseByteSize } from '../options/grammar/byte-size.js';

/** A pipe of ours, the caller's own stream, nothing, or a descriptor that stays the caller's. */
export type StdioMode = 'pipe' | 'inherit' | 'ignore' | number;

/** Bytes, or text such as `'64M'`. */
export type Size = number | bigint | string;

export interface StartOptions {
  /** Milliseconds from the start of the call until the tree is ended with reason `'timeout'`. Default: none. */
  readonly timeout?: number | undefined;
  /** Milliseconds between SIGTERM and SIGKILL when the timeout is over. Default 0: SIGKILL at once. */
  readonly killGrace?: number | undefined;
  /** Ends the tree and rejects with an AbortError. */
  readonly signal?: AbortSignal | undefined;
  /** Set after those of the sandbox. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Instead of the sandbox's. */
  readonly cwd?: string | undefined;
  /** Bytes kept of stdout and of stderr each; more is read and dropped. Default 64 MiB. */
  readonly maxBuffer?: Size | undefined;
  /** Instead of the sandbox's; a name serves one living run at a time. Default `sandbox-<pid>-<n>`. */
  readonly name?: string | undefined;
  /** After those of the sandbox. */
  readonly handlers?: readonly HandlerBinding[] | undefined;
  /** Further descriptors, by their number in the program (3 to 31); they stay the caller's. */
  readonly fds?: Readonly<Record<number, number>> | undefined;
}

export interface PopenOptions extends StartOptions {
  readonly stdin?: StdioMode | undefined;
  readonly stdout?: StdioMode | undefined;
  readonly stderr?: StdioMode | undefined;
}

export interface RunOptions extends StartOptions {
  /** For stdin, which is inherited otherwise. */
  readonly input?: string | Uint8Array | Readable | undefined;
  /** Reject with an ExitError unless the exit code is 0. Default false. */
  readonly check?: boolean | undefined;
}

export const DEFAULT_MAX_BUFFER = 64 * 1024 * 1024;

/** @returns bytes */
export function maxBufferBytes(size: Size | undefined): number {
  if (size === undefined) return DEFAULT_MAX_BUFFER;
  return Number(typeof size === 'string' ? parseByteSize(size) : size);
}

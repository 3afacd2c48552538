/**
 * The arguments of the open family, in one shape.
 *
 * open, openat, openat2 and creat are one operation in four spellings; who watches one of them and not
 * the others watches nothing. The path is our own copy, made while the thread waited.
 * open(2), openat2(2); fs/open.c, build_open_how() and SYSCALL_DEFINE4(openat2, ...).
 */
import { AT_FDCWD, O_CREAT, O_TRUNC, O_WRONLY } from '@sandlock/sys';

import type { HandlerContext } from './handler.js';
import { HandlerError } from './errors.js';
import { asInt32 } from './registers.js';
import { failure, type TargetFailure } from './target-result.js';

/** sizeof(struct open_how) in its first version: flags, mode, resolve. */
const OPEN_HOW_BYTES = 24;
/** fs/open.c takes no structure longer than a page. */
const OPEN_HOW_MAX_BYTES = 4096n;

export type OpenArguments = {
  readonly ok: true;
  /** As the target gave it: neither absolute nor normalised. */
  readonly path: Buffer;
  /** The same without losing a byte. */
  readonly text: string;
  /** AT_FDCWD or a descriptor of the target. */
  readonly dirfd: number;
  readonly flags: number;
  readonly mode: number;
  /** RESOLVE_* of openat2, 0 for the others. */
  readonly resolve: bigint;
} | TargetFailure;

/** @throws {HandlerError} ERR_SANDLOCK_HANDLER_PATH_ARGUMENT: the call is none of the four */
export function decodeOpen(context: HandlerContext): OpenArguments {
  const { args } = context;
  switch (context.name) {
    case 'open':
      return decoded(context, 0, AT_FDCWD, asInt32(args[1]!), asInt32(args[2]!), 0n);
    case 'creat':
      return decoded(context, 0, AT_FDCWD, O_CREAT | O_WRONLY | O_TRUNC, asInt32(args[1]!), 0n);
    case 'openat':
      return decoded(context, 1, asInt32(args[0]!), asInt32(args[2]!), asInt32(args[3]!), 0n);
    case 'openat2': {
      const how = readHow(context);
      return how.ok ? decoded(context, 1, asInt32(args[0]!), how.flags, how.mode, how.resolve) : how;
    }
    default:
      throw new HandlerError('ERR_SANDLOCK_HANDLER_PATH_ARGUMENT',
        `decodeOpen() takes open, openat, openat2 and creat, not ${context.name}.`, { syscall: context.name });
  }
}

function decoded(
  context: HandlerContext, pathIndex: number, dirfd: number, flags: number, mode: number, resolve: bigint,
): OpenArguments {
  const path = context.readPath(pathIndex);
  if (!path.ok) return path;
  return { ok: true, path: path.bytes, text: path.text, dirfd, flags, mode: mode & 0o7777, resolve };
}

function readHow(context: HandlerContext): { ok: true; flags: number; mode: number; resolve: bigint } | TargetFailure {
  const size = context.args[3]!;
  if (size < BigInt(OPEN_HOW_BYTES)) return failure('invalid');
  if (size > OPEN_HOW_MAX_BYTES) return failure('unknownFields');
  const how = context.readMemory(context.args[2]!, size);
  if (!how.ok) return how;
  const { bytes } = how;
  if (bytes.length < Number(size)) return failure('fault');
  if (bytes.subarray(OPEN_HOW_BYTES).some((byte) => byte !== 0)) return failure('unknownFields');
  const flags = bytes.readBigUInt64LE(0);
  const mode = bytes.readBigUInt64LE(8);
  // Unlike its elders, openat2 refuses what it does not know.
  if (flags > 0x7fffffffn || mode > 0o7777n) return failure('invalid');
  return { ok: true, flags: Number(flags), mode: Number(mode), resolve: bytes.readBigUInt64LE(16) };
}

/**
 * Presets: handlers that many want, ready to register.
 *
 * They look at paths in the memory of the target, which another of its threads may change after we looked.
 * So they observe and they refuse the honest; what holds against a hostile program is the Landlock ruleset.
 * seccomp_unotify(2), "Design goals; use of SECCOMP_USER_NOTIF_FLAG_CONTINUE".
 */
import { syscallNumber } from '@sandlock/bpf';
import type { ErrnoName } from '@sandlock/sys';
import { realpathSync } from 'node:fs';

import { action, type NotifAction } from './action.js';
import { handlerTypeError } from './errors.js';
import { on, type HandlerBinding, type HandlerContext } from './handler.js';
import { pathArguments, pathSyscalls } from './path-arguments.js';
import { resolvePath } from './resolve-path.js';
import { runningArch } from './syscall.js';

/** The calls that most programs reach files by, where one wants an impression and not every spelling. */
export const commonPathSyscalls: readonly string[] = Object.freeze([
  'openat', 'unlinkat', 'newfstatat', 'statx', 'faccessat', 'readlinkat', 'mkdirat', 'execveat', 'execve',
]);

export interface PathAccess {
  readonly syscall: string;
  /** A thread id. */
  readonly pid: number;
  /** Absolute, links followed, lossless text; null where it could not be read. */
  readonly path: string | null;
}

/** Tells of every path that is used. Fails open: what the callback throws changes nothing for the target. */
export function auditPaths(
  callback: (access: PathAccess) => void, syscalls: readonly string[] = commonPathSyscalls,
): HandlerBinding[] {
  return bindings(syscalls, 'continue', (context) => {
    for (const argument of lookedUp(context)) {
      const path = resolvePath(context, argument);
      callback({ syscall: context.name, pid: context.pid, path: path.ok ? path.real : null });
    }
    return action.continue();
  });
}

/** Tells of every call of these, by default of those in {@link commonPathSyscalls}. Fails open. */
export function logSyscalls(
  log: (line: string) => void = (line) => process.stderr.write(`${line}\n`),
  syscalls: readonly string[] = commonPathSyscalls,
): HandlerBinding[] {
  return bindings(syscalls, 'continue', ({ name, pid, args }) => {
    log(`${pid} ${name}(${args.map((value) => `0x${value.toString(16)}`).join(', ')})`);
    return action.continue();
  });
}

/** A path with everything below it, or an expression over the whole path. */
export type PathPattern = string | RegExp;

/**
 * Refuses paths that match, by spelling or by where they lead, and paths that cannot be read.
 *
 * @param errno what they get; what cannot be read gets EFAULT, ENAMETOOLONG or EACCES as the case is
 */
export function denyPaths(patterns: readonly PathPattern[], errno: ErrnoName = 'EPERM'): HandlerBinding[] {
  const matches = matcher(patterns);
  const denial = action.errno(errno);
  return bindings(pathSyscalls(), 'kill', (context) => decide(context, ({ lexical, real }) => (
    matches(lexical) || matches(real) ? denial : action.continue())));
}

/** Refuses all paths but those that lead to a match. */
export function allowPaths(patterns: readonly PathPattern[], errno: ErrnoName = 'EACCES'): HandlerBinding[] {
  const matches = matcher(patterns);
  const denial = action.errno(errno);
  return bindings(pathSyscalls(), 'kill', (context) => decide(context, ({ real }) => (
    matches(real) ? action.continue() : denial)));
}

function decide(
  context: HandlerContext, judge: (path: { lexical: string; real: string }) => NotifAction,
): NotifAction {
  for (const argument of lookedUp(context)) {
    const path = resolvePath(context, argument);
    const answer = path.ok ? judge(path) : path.deny();
    if (answer.kind !== 'continue') return answer;
  }
  return action.continue();
}

function lookedUp({ name }: HandlerContext) {
  return pathArguments(name).filter(({ stored }) => stored !== true);
}

/** All spellings that exist here and are not denied anyway. */
function bindings(
  syscalls: readonly string[], onException: 'continue' | 'kill', handler: (context: HandlerContext) => NotifAction,
): HandlerBinding[] {
  const seen = new Set<number>();
  return syscalls.flatMap((name) => {
    const nr = syscallNumber(runningArch(), name);
    if (nr !== undefined && seen.has(nr)) return []; // two names of one call
    if (nr !== undefined) seen.add(nr);
    return [on(name, handler, { onException, optional: true })];
  });
}

function matcher(patterns: readonly PathPattern[]): (path: string) => boolean {
  if (!Array.isArray(patterns)) throw handlerTypeError('Path patterns are an array of absolute paths and regular expressions.');
  const roots: string[] = [];
  const expressions: RegExp[] = [];
  for (const pattern of patterns as readonly unknown[]) {
    // Without g and y, which would remember where the last match ended.
    if (pattern instanceof RegExp) expressions.push(new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')));
    else if (typeof pattern === 'string' && pattern.startsWith('/')) roots.push(...spellings(pattern));
    else throw handlerTypeError(`A path pattern is an absolute path or a regular expression, not ${String(pattern)}.`);
  }
  return (path) => roots.some((root) => path === root || path.startsWith(root === '/' ? root : `${root}/`))
    || expressions.some((expression) => expression.test(path));
}

/** As given, and where it leads now: /lib is often a link to usr/lib. */
function spellings(path: string): string[] {
  const given = path.replace(/\/+$/, '') || '/';
  try {
    return [...new Set([given, realpathSync(given)])];
  } catch {
    return [given];
  }
}

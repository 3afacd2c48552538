/**
 * Actions as text, the way they are printed: `allow`, `errno(EPERM)`, `trap(5)`, `kill_process`, in any case.
 */
import { type Action, errnoNumber, FilterError } from '@sandlock/bpf';

const PLAIN: Readonly<Record<string, Action>> = {
  ALLOW: { type: 'allow' },
  LOG: { type: 'log' },
  USER_NOTIF: { type: 'userNotif' },
  TRAP: { type: 'trap', data: 0 },
  TRACE: { type: 'trace', data: 0 },
  KILL_THREAD: { type: 'killThread' },
  KILL_PROCESS: { type: 'killProcess' },
};

/** @throws {FilterError} ERR_SANDLOCK_FILTER_ACTION with the place */
export function parseAction(value: unknown, path: string): Action {
  const word = typeof value === 'string' ? value.toUpperCase() : '';
  if (Object.hasOwn(PLAIN, word)) return PLAIN[word]!;
  const [, name, data] = /^(ERRNO|TRAP|TRACE)\((\w+)\)$/.exec(word) ?? [];
  const number = data === undefined ? undefined : /^\d+$/.test(data) ? Number(data) : name === 'ERRNO' ? errnoNumber(data as 'EPERM') : undefined;
  // Whether the number fits is for the compiler to say.
  if (number !== undefined && name === 'ERRNO') return { type: 'errno', errno: number };
  if (number !== undefined) return { type: name === 'TRAP' ? 'trap' : 'trace', data: number };
  throw new FilterError('ERR_SANDLOCK_FILTER_ACTION',
    `${JSON.stringify(value) ?? 'nothing'} is no action; write allow, log, errno(EPERM), trap, trace(7), user_notif, kill_thread or kill_process.`, { path });
}

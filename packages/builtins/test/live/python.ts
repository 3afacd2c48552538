/**
 * python3 programs under families. What they print as JSON is what the tests look at.
 */
import { type Family } from '@sandlock/dispatch';
import { expect } from 'vitest';

import { Sandboxed } from './sandboxed.js';

/** Every program may use: call(f, ...) -> 'ok', the value, or the errno's name. */
const PRELUDE = `
import ctypes, errno, json, os, socket, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
def call(f, *args):
    try:
        result = f(*args)
        return 'ok' if result is None else result
    except OSError as error:
        return errno.errorcode[error.errno]
def raw(nr, *args):
    ctypes.set_errno(0)
    result = libc.syscall(nr, *args)
    return errno.errorcode[ctypes.get_errno()] if result == -1 else result
def say(value): print(json.dumps(value))
`;

export async function python(
  families: (guardPid: () => number) => readonly Family[], program: string, ...args: string[]
): Promise<unknown> {
  const sandboxed = new Sandboxed(['/usr/bin/python3', '-I', '-c', PRELUDE + program, ...args], families);
  const { exit, stdout, stderr } = await sandboxed.done;
  expect({ stderr, code: exit.code, signal: exit.signal, reports: sandboxed.reports }).toEqual({ stderr: '', code: 0, signal: null, reports: [] });
  return JSON.parse(stdout);
}

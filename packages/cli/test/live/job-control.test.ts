import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

import { command, hasPython, READ_ALL } from './sandlock.js';

const shell = fileURLToPath(new URL('./targets/shell.py', import.meta.url));

/** Runs a job in a shell on a pseudo-terminal and gives what the shell saw. shell.py says what a step is. */
async function onTerminal(job: readonly string[], steps: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<unknown[]> {
  const child = spawn('python3', [shell, ...job], { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } });
  let seen = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (seen += text));
  child.stdin.on('error', () => undefined).end(steps.map((step) => `${step}\n`).join(''));
  await new Promise((resolve) => child.on('close', resolve));
  return seen.trimEnd().split('\n').map((line) => JSON.parse(line) as unknown);
}

const run = (script: string, ...flags: string[]): string[] =>
  [process.execPath, command, 'run', ...READ_ALL, ...flags, '-e', script];

const SIGTSTP = 20;
const SIGTTIN = 21;

describe.skipIf(!hasPython)('a run on a terminal [needs python3]', () => {
  it('has the terminal while it runs, and the shell\'s group has it afterwards', async () => {
    expect(await onTerminal(run('echo ready; read line; echo "got $line"; exit 4'), [
      'expect ready', 'owner', 'type hello\\n', 'expect got hello', 'ended',
    ])).toEqual([{ owner: 'program' }, { code: 4, terminal: 'job' }, { screen: expect.any(String) }]);
  });

  it('is interrupted by Ctrl-C once, by the terminal itself', async () => {
    expect(await onTerminal(run('trap "echo interrupted; exit 6" INT; echo ready; while :; do sleep 0.05; done'), [
      'expect ready', 'type \\x03', 'expect interrupted', 'ended',
    ])).toContainEqual({ code: 6, terminal: 'job' });
    expect(await onTerminal(run('echo ready; exec sleep 60'), ['expect ready', 'type \\x03', 'ended']))
      .toContainEqual({ code: 130, terminal: 'job' });
  });

  it('stops on Ctrl-Z as one job, and goes on with the terminal on fg', async () => {
    expect(await onTerminal(run('echo ready; read line; echo "got $line"; read line; echo "then $line"'), [
      'expect ready', 'type \\x1a', 'stopped', 'owner', 'fg', 'type hello\\n', 'expect got hello', 'owner',
      'type \\x1a', 'stopped', 'fg', 'type again\\n', 'expect then again', 'ended',
    ])).toEqual([
      { stopped: true, signal: SIGTSTP, terminal: 'job' }, { owner: 'shell' }, { owner: 'program' },
      { stopped: true, signal: SIGTSTP, terminal: 'job' }, { code: 0, terminal: 'job' }, { screen: expect.any(String) },
    ]);
  });

  it('goes on without the terminal on bg, stops when it reads from it, and reads after fg', async () => {
    // Busy without a child: between vfork and exec of one, a shell cannot be stopped.
    const busy = 'i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done';
    expect(await onTerminal(run(`echo ready; ${busy}; echo awake; read line; echo "got $line"`), [
      'expect ready', 'type \\x1a', 'stopped', 'bg', 'expect awake', 'owner', 'stopped', 'fg', 'type hello\\n', 'expect got hello', 'ended',
    ])).toEqual([
      { stopped: true, signal: SIGTSTP, terminal: 'job' }, { owner: 'shell' },
      { stopped: true, signal: expect.toBeOneOf([SIGTTIN, SIGTSTP]), terminal: 'other' },
      { code: 0, terminal: 'job' }, { screen: expect.any(String) },
    ]);
  });

  it('does not stay stopped where no shell could continue it', async () => {
    expect(await onTerminal(run('echo ready; read line; echo "got $line"'), [
      'expect ready', 'type \\x1a', 'sleep 0.5', 'type hello\\n', 'expect got hello', 'ended',
    ], { SESSION: 'job' })).toContainEqual(expect.objectContaining({ code: 0 }));
  });

  it('forwards what is sent to the command alone', async () => {
    expect(await onTerminal(run('trap "echo asked; exit 8" TERM; echo ready; while :; do sleep 0.05; done'), [
      'expect ready', 'kill SIGTERM', 'expect asked', 'ended',
    ])).toContainEqual({ code: 8, terminal: 'job' });
  });

  it('is ended by a timeout with the terminal given back', async () => {
    expect(await onTerminal(run('trap "" INT TERM HUP; while :; do sleep 1; done', '-t', '500ms'), ['expect timeout after 500ms', 'ended']))
      .toContainEqual({ code: 124, terminal: 'job' });
  });

  it('starts with --interactive there, and not without a terminal on stdin', async () => {
    expect(await onTerminal(run('exit 0', '-i'), ['ended'])).toContainEqual({ code: 0, terminal: 'job' });
    expect(await onTerminal(run('exit 0', '-i'), ['expect not the terminal', 'ended'], { STDIN: 'null' }))
      .toContainEqual({ code: 1, terminal: 'job' });
  });

  it('has no way to the terminal when its stdin is none', async () => {
    const opens = 'if (: </dev/tty); then echo reached; else echo none; fi';
    expect(await onTerminal(['/bin/sh', '-c', opens], ['expect reached', 'ended'], { STDIN: 'null' })).toContainEqual({ code: 0, terminal: 'job' });
    expect(await onTerminal(run(opens), ['expect none', 'ended'], { STDIN: 'null' })).toContainEqual({ code: 0, terminal: 'job' });
    expect(await onTerminal(run(opens), ['expect reached', 'ended'])).toContainEqual({ code: 0, terminal: 'job' });
  });
});

/**
 * Signals that were meant for the program.
 *
 * Whoever ends a service or resizes a window signals the process that it started, and that is us. What the
 * keyboard sends reaches a program on a terminal without us: its group is the foreground one, ours is not.
 */
import type { SandboxProcess } from '@sandlock/sandbox';

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const;

/** @returns ends it */
export function forwardSignals(child: SandboxProcess): () => void {
  let interrupts = 0;
  const forward = (signal: NodeJS.Signals): void => {
    if (!child.isRunning) return;
    // A program that does not end on the first one may never. Everything of it goes on the second.
    if (signal === 'SIGINT' && ++interrupts > 1) void child.kill();
    else child.signal(signal);
  };
  for (const signal of FORWARDED) process.on(signal, forward);
  return () => {
    for (const signal of FORWARDED) process.off(signal, forward);
  };
}

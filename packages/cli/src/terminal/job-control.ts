/**
 * Job control: a stopped program stops the whole job, as if there were no sandbox.
 *
 * The program has a process group of its own, so Ctrl-Z reaches it and nobody else, and the shell still waits for us.
 * When it stops, the guard has already taken the terminal back for our group; we stop that group, the shell
 * takes over, and `fg` continues us and with us the program. termios(3), "Job control"; credentials(7).
 */
import type { SandboxProcess } from '@sandlock/sandbox';

import { inForeground } from './controlling-terminal.js';

/** Time for a SIGTSTP to take effect. If we still run then, it was discarded. */
const DISCARDED_AFTER_MS = 100;

/** @returns ends it */
export function followStops(child: SandboxProcess): () => void {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  const goOn = (): void => {
    if (!stopped) return;
    stopped = false;
    clearTimeout(timer);
    if (!child.isRunning) return;
    // After `bg` another group has the terminal, and the program goes on without.
    if (inForeground()) child.foreground();
    else child.resume();
  };
  const stop = (): void => {
    stopped = true;
    // The group, not only this process: a pipeline that we are part of is one job. SIGTSTP, since in an orphaned group,
    // where no shell would ever continue it, the kernel discards that. Then the program must not stay stopped, either.
    process.kill(0, 'SIGTSTP');
    timer = setTimeout(goOn, DISCARDED_AFTER_MS);
  };
  // `fg` also of a job that `bg` had continued: the program gets the terminal then.
  const continued = (): void => {
    if (stopped) goOn();
    else if (child.isRunning && inForeground()) child.foreground();
  };

  child.on('stop', stop);
  process.on('SIGCONT', continued);
  return () => {
    clearTimeout(timer);
    child.off('stop', stop);
    process.off('SIGCONT', continued);
  };
}

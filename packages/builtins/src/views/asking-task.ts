/**
 * The thread that asks, with what the kernel says of it read when that is first needed.
 *
 * Most views are the same for everybody, and reading the status of a task takes as long as all the rest.
 */
import { TargetFailure, type HandlerContext, type NotifAction } from '@sandlock/dispatch';

import { readTaskStatus, type TaskStatus } from '../open/task-status.js';
import type { Asker } from './view.js';

class TaskHidden extends Error {}

export class AskingTask implements Asker {
  readonly pid: number;
  #status: TaskStatus | undefined;

  constructor({ pid }: HandlerContext) {
    this.pid = pid;
  }

  get tgid(): number {
    return this.status.tgid;
  }

  get status(): TaskStatus {
    this.#status ??= readTaskStatus(this.pid);
    if (this.#status === undefined) throw new TaskHidden();
    return this.#status;
  }
}

/** An answer that needs to know a task: a denial where that cannot be known. */
export function unlessHidden(answer: () => NotifAction): NotifAction {
  try {
    return answer();
  } catch (error) {
    if (error instanceof TaskHidden) return new TargetFailure('noAccess').deny();
    throw error;
  }
}

/**
 * The endings family: a process ends after what was called before it.
 *
 * Until a notification is received the kernel lets every signal with a handler take the call back, and where the handler is without
 * SA_RESTART the call fails with EINTR, also open(2) and fork(2), which never do otherwise. Shells do not expect it: dash has such
 * a handler for SIGCHLD in every script, and "echo a | cat" forks a second child while the first one is about to end. On a
 * busy machine the child runs before the supervisor does, and half of such forks failed.
 * So the end of a process is notified as well. The kernel hands notifications out in their order, therefore nobody hears
 * of an end before the calls that were waiting then are received. Nothing is decided here, and a process that is killed
 * ends without a call.
 * kernel/seccomp.c, seccomp_do_user_notification(), should_sleep_killable(), seccomp_notify_recv()
 * exit_group(2)  ->  continue
 */
import { action, type Family } from '@sandlock/dispatch';

export function endings(): Family {
  return { name: 'endings', handlers: { exit_group: { handler: () => action.continue(), concerns: {}, onException: 'continue' } } };
}

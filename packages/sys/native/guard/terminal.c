/*
 * Terminal: who owns the caller's terminal.
 *
 * Only an interactive target whose stdin is a terminal gets it, and only if the supervisor's group has it now: a
 * job that was started in the background must not take it from the shell. All signals are blocked in the guard,
 * so TIOCSPGRP from a background group does not stop it. tty_ioctl(4), termios(3) tcsetpgrp.
 */
#include <linux/fcntl.h>

#include "../raw.h"
#include "guard.h"
#include "kernel.h"

void terminal_open(struct guard *g) {
  int owner = 0;
  g->terminal = -1;
  if (!(g->plan->flags & PLAN_INTERACTIVE)) return;
  if (raw(__NR_ioctl, 0, K_TIOCGPGRP, &owner) < 0) return;
  long fd = raw(__NR_fcntl, 0, F_DUPFD_CLOEXEC, g->base + GUARD_FDS);
  if (fd < 0) return;
  g->terminal = (int)fd;
  /* The supervisor is our parent; its group is the one to give the terminal back to. */
  g->terminal_owner = (int)raw(__NR_getpgid, raw(__NR_getppid));
  if (owner != g->terminal_owner) g->terminal_owner = -g->terminal_owner; /* not in the foreground now */
}

void terminal_give(struct guard *g) {
  int group = g->pid;
  if (g->terminal < 0 || !group) return;
  if (g->terminal_owner < 0) g->terminal_owner = -g->terminal_owner;
  raw(__NR_ioctl, g->terminal, K_TIOCSPGRP, &group);
}

/* Only from the target, or from a group of its that has ended: a shell that has already taken its terminal back
   keeps it. Signal 0 asks whether anybody is in a group. */
void terminal_take_back(struct guard *g) {
  int owner = 0, group = g->terminal_owner;
  if (g->terminal < 0 || group <= 0 || !g->pid) return;
  if (raw(__NR_ioctl, g->terminal, K_TIOCGPGRP, &owner) < 0) return;
  if (owner != g->pid && (owner <= 1 || raw(__NR_kill, -owner, 0) != -K_ESRCH)) return;
  raw(__NR_ioctl, g->terminal, K_TIOCSPGRP, &group);
}

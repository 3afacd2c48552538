/*
 * The guard: a small process between supervisor and target.
 *
 * It clones the target, confines it, hands the listener to the supervisor, and outlives it by exactly as long as
 * it takes to end every process the target left behind. It is their subreaper, so a process that calls setsid or
 * whose parent dies stays a descendant; and it is outside their Landlock domain, so they cannot signal it.
 */
#ifndef SANDLOCK_GUARD_H
#define SANDLOCK_GUARD_H

#include <linux/types.h>
#include <stddef.h>
#include <stdint.h>

#include "../plan.h"

/* What the target tells the guard after the filter is on, when a system call may be a notification. */
struct handoff {
  volatile int listener;       /* number in the shared descriptor table; -1 until there is one */
  volatile int installed;      /* the filter is on */
  volatile int wait_killable;  /* WAIT_KILLABLE_RECV was accepted */
  volatile int execing;        /* every step before exec is done */
  volatile int failed_step;    /* enum start_step */
  volatile int failed_errno;
};

struct guard {
  const struct plan *plan;
  size_t plan_bytes;
  char **argv; /* of the target */
  char **envp;
  int base;    /* descriptor number of GUARD_CONTROL */
  int control;
  int signals;    /* signalfd for SIGCHLD */
  int supervisor; /* pidfd of the supervisor, or -1 */
  int cgroup_procs, cgroup_kill; /* files of the target's control group, or -1 */
  int status;     /* read end of the status pipe, -1 once it ended */
  int status_write;
  int release_read, release_write; /* parked targets wait here */
  int map_read, map_write;         /* targets in a user namespace wait here for their mapping */
  int terminal;                    /* a terminal that is the target's stdin, or -1 */
  int terminal_owner;              /* the process group that had it */
  int pid;                         /* of the target; 0 after it was reaped */
  int self;
  struct handoff *handoff;
};

int guard_main(int argc, char **argv, char **envp);
__attribute__((noreturn)) void guard_exit(int code);

int guard_above(struct guard *g, long fd);
int guard_write_file(const char *path, const char *text);

/* control.c */
void guard_send(struct guard *g, const struct guard_message *m, int fd);
void guard_tell(struct guard *g, uint32_t type, int a, int b);
int guard_receive(struct guard *g, struct guard_message *m);
int guard_is_orphaned(struct guard *g);

/* target.c */
__attribute__((noreturn)) void target_main(struct guard *g);
int target_drop_capabilities(uint64_t keep);

/* tree.c */
struct visit;
/* Whom it meets, by a descriptor that is surely a descendant's. What it returns adds up. */
typedef int (*tree_visitor)(struct visit *v, int pid, int pidfd);
struct visit {
  struct guard *guard;
  tree_visitor act;
  int children_first;
  int sig;
  int64_t sum;
  int signalled;
  int depth;
  int ends_deeper; /* who is further down than the walk goes is ended: nobody would keep it to anything */
};
struct tree_stat {
  int parent;
  char state;
  int64_t user, children_user, children_system; /* ticks */
};
int tree_stat(int pid, struct tree_stat *stat);
void tree_walk(struct visit *v);
void tree_kill(struct guard *g);
void tree_signal(struct guard *g, int sig);

/* throttle.c */
int64_t throttle_wait(struct guard *g);
void throttle_turn(struct guard *g);
void throttle_release(struct guard *g);
void throttle_rest(int rest);
int throttle_holds(int pid);
int throttle_continued(void);
void throttle_stopped(void);

/* cgroup.c */
int cgroup_open(struct guard *g);
uint64_t cgroup_capability(const struct guard *g);
int cgroup_enter(struct guard *g);
void cgroup_kill(struct guard *g);
void cgroup_remove(struct guard *g);

/* terminal.c */
void terminal_open(struct guard *g);
void terminal_give(struct guard *g);
void terminal_take_back(struct guard *g);

/* text.c */
size_t text_length(const char *s);
int text_number(const char *s);
char *text_decimal(char *to, long n);
char *text_append(char *to, const char *s);
int text_read_file(const char *path, char *buffer, size_t size);

#endif

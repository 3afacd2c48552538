/*
 * Throttle: a share of one processor for the whole tree, by stopping it.
 *
 * A budget fills with the share of the time that passes and is drawn on by what the tree has used, on all processors
 * together. Empty, every process is stopped until it is half full again; so the share holds on average, whatever
 * happens between two looks, and a program that mostly sleeps is never stopped. Processes that are stopped already are
 * left alone and stay so. Parents are stopped before their children and continued after them, so that one which
 * waits with WUNTRACED finds hardly any stopped. A job-control stop that arrives meanwhile is lost, as SIGCONT discards it.
 * A program can have itself continued, by a timer that sends SIGCONT. So while it is held it is looked at again: whoever has run is
 * stopped anew, and one that does not leave it at that is ended. It may be in one long call, which meets no signal before its end: a file is
 * read, or memory made ready. So only what it has run of its own code counts, or very long calls.
 * Every command of the supervisor lets go first, so a tree that it stops is one of processes that are stopped already.
 * clock_getcpuclockid(3), proc_pid_stat(5), signal(7)
 */
#include "../raw.h"
#include "guard.h"
#include "kernel.h"

#define MS 1000000ll
#define PERIOD (100 * MS)
#define SOONEST (3 * MS)
#define LATEST (50 * MS)
#define TICK (10 * MS)  /* of the times in /proc/pid/stat */
#define STEP (MS / 20)
#define PATIENCE (10 * MS) /* for all of one walk */
#define LONGEST_DEBT 50 /* periods */
#define HELD_MAX 4096
#define RAN (2 * MS)   /* more than what it takes a process to meet its signal */
#define RESTLESS 10    /* looks in one hold that found the same one running its own code */
#define LONGEST_CALL (60000 * MS) /* of a processor, in one hold */

static struct {
  struct held {
    int pid;
    int escapes;
    int64_t used, user; /* by it at the last look, and what it had run of its own code, in ticks */
    int64_t ran;        /* since it was stopped */
  } held[HELD_MAX]; /* whom we stopped */
  int count;
  int overflow;  /* more than that: then everybody is continued */
  int is_holding;
  int is_resting; /* the tree is stopped by order */
  int escaped;   /* somebody had run at the last look */
  int swallow;   /* the target's next "continued" is our doing */
  int begun;
  int64_t used;  /* by the tree, at the last look */
  int64_t seen;  /* when that was */
  int64_t due;
  int64_t budget;
} t;

static int64_t clock(int id) {
  struct k_timespec now = {0, 0};
  return raw(__NR_clock_gettime, id, &now) < 0 ? 0 : now.sec * 1000 * MS + now.nsec;
}

static int64_t now(void) { return clock(1 /* CLOCK_MONOTONIC */); }

/* The whole process, by nanoseconds. include/linux/posix-timers_types.h, CPUCLOCK_SCHED */
static int64_t used_by(int pid) { return clock((int)(~(unsigned)pid << 3 | 2)); }

/* With the children it has waited for. */
static int add_usage(struct visit *v, int pid, int pidfd) {
  struct tree_stat stat;
  (void)pidfd;
  v->sum += used_by(pid);
  if (tree_stat(pid, &stat) == 0) v->sum += (stat.children_user + stat.children_system) * TICK;
  return 1;
}

/* Those that nobody waits for, and that have ended between two looks, are missing. */
static int64_t usage(struct guard *g) {
  struct visit v = {.guard = g, .act = add_usage, .ends_deeper = 1};
  struct k_rusage ended;
  tree_walk(&v);
  if (raw(__NR_getrusage, -1 /* RUSAGE_CHILDREN */, &ended) == 0)
    v.sum += ((ended.utime_sec + ended.stime_sec) * 1000000 + ended.utime_usec + ended.stime_usec) * 1000;
  return v.sum;
}

static struct held *find_held(int pid) {
  for (int i = 0; i < t.count; i++)
    if (t.held[i].pid == pid) return &t.held[i];
  return 0;
}

static int is_held(int pid) { return find_held(pid) != 0; }

/* A parent that sleeps in wait(2) looks at its children once more before it stops, so they have to be running then. */
static void wait_until_stopped(struct visit *v, int pid) {
  struct tree_stat stat;
  struct k_timespec moment = {0, STEP};
  for (; v->sum < PATIENCE && tree_stat(pid, &stat) == 0 && stat.state != 'T' && stat.state != 'Z'; v->sum += STEP)
    raw(__NR_nanosleep, &moment, 0);
}

static int hold_one(struct visit *v, int pid, int pidfd) {
  struct tree_stat stat;
  if (is_held(pid)) return 1;
  if (tree_stat(pid, &stat) == 0 && (stat.state == 'T' || stat.state == 't')) return 1;
  if (raw(__NR_pidfd_send_signal, pidfd, K_SIGSTOP, 0, 0) < 0) return 0;
  wait_until_stopped(v, pid);
  /* Whatever can be told of it: one that is not written down would never be let go. */
  int64_t user = tree_stat(pid, &stat) < 0 ? 0 : stat.user;
  if (t.count < HELD_MAX) t.held[t.count++] = (struct held){.pid = pid, .used = used_by(pid), .user = user};
  else t.overflow = 1;
  return 1;
}

/* Of those that are held, who has run; and who has come up since, or was stopped by itself and is not any more. */
static int hold_again(struct visit *v, int pid, int pidfd) {
  struct held *held = find_held(pid);
  if (!held) return hold_one(v, pid, pidfd);
  struct tree_stat stat;
  int64_t ran = used_by(pid) - held->used;
  if (ran < RAN || tree_stat(pid, &stat) < 0) return 1;
  t.escaped = 1;
  held->ran += ran;
  if (stat.user > held->user) held->escapes++;
  held->user = stat.user;
  raw(__NR_pidfd_send_signal, pidfd, held->escapes < RESTLESS && held->ran < LONGEST_CALL ? K_SIGSTOP : K_SIGKILL, 0, 0);
  wait_until_stopped(v, pid);
  int64_t before = held->used + ran;
  held->used = used_by(pid);
  held->ran += held->used - before;
  return 1;
}

static int release_one(struct visit *v, int pid, int pidfd) {
  (void)v;
  if (!t.overflow && !is_held(pid)) return 0;
  raw(__NR_pidfd_send_signal, pidfd, K_SIGCONT, 0, 0);
  return 1;
}

static void hold(struct guard *g) {
  t.count = t.overflow = 0;
  t.is_holding = 1;
  /* Until a walk meets nobody more than the last, so that one born meanwhile is met as well. */
  for (int pass = 0, before = -1; pass < 32; pass++) {
    struct visit v = {.guard = g, .act = hold_one};
    tree_walk(&v);
    if (v.signalled == before) break;
    before = v.signalled;
  }
  if (throttle_holds(g->pid)) t.swallow = 0;
}

int throttle_holds(int pid) { return t.is_holding && is_held(pid); }

/* Whether the target's being continued is of no interest to anybody. */
int throttle_continued(void) {
  int swallow = t.swallow;
  t.swallow = 0;
  return swallow;
}

void throttle_stopped(void) { t.swallow = 0; }

/* Stopped by order: one that has not met its signal yet is not to be held, or letting it go would set it going. */
void throttle_rest(int rest) { t.is_resting = rest; }

void throttle_release(struct guard *g) {
  if (!t.is_holding) return;
  struct visit v = {.guard = g, .act = release_one, .children_first = 1};
  t.swallow = throttle_holds(g->pid);
  t.is_holding = 0;
  tree_walk(&v);
  t.count = t.overflow = 0;
  t.due = 0;
}

static int is_on(struct guard *g) {
  /* Before exec the target is waited for, so it must run. */
  return g->plan->cpu_percent && g->pid && g->status < 0;
}

/* Nanoseconds until throttle_turn() has something to do, or -1. */
int64_t throttle_wait(struct guard *g) {
  if (!is_on(g)) return -1;
  int64_t left = t.begun ? t.due - now() : 0;
  return left > 0 ? left : 0;
}

void throttle_turn(struct guard *g) {
  if (!is_on(g)) return;
  int64_t share = g->plan->cpu_percent, full = PERIOD * share / 100, at = now();
  if (t.begun && at < t.due) return;
  int64_t total = usage(g);
  if (!t.begun) {
    t.begun = 1;
    t.budget = full;
    t.seen = at;
    t.used = total;
  }
  int64_t elapsed = at - t.seen, used = total > t.used ? total - t.used : 0;
  t.seen = at;
  t.used = total;
  t.budget += elapsed * share / 100 - used;
  if (t.budget > full) t.budget = full;
  if (t.budget < -LONGEST_DEBT * full) t.budget = -LONGEST_DEBT * full;
  if (t.is_holding) {
    if (t.budget >= full / 2) {
      throttle_release(g);
    } else {
      struct visit v = {.guard = g, .act = hold_again, .ends_deeper = 1};
      t.escaped = 0;
      tree_walk(&v);
    }
  } else if (t.budget <= 0 && !t.is_resting) {
    hold(g);
  }
  int64_t wait;
  if (t.is_holding) {
    wait = t.escaped ? SOONEST : (full / 2 - t.budget) * 100 / share;
  } else {
    /* At the speed of late, and half as much again, so much time is left. */
    wait = used * 6 > elapsed ? t.budget * elapsed / (used + used / 2) : LATEST;
  }
  t.due = at + (wait < SOONEST ? SOONEST : wait > LATEST ? LATEST : wait);
}

/*
 * The guard's life: set up, clone, watch, end everything.
 *
 * It watches four things: its supervisor (control socket and pidfd), its children (signalfd), and the status
 * pipe, whose end of file says that the target has called exec. It ends when no descendant is left.
 */
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/stat.h>

#include "../raw.h"
#include "guard.h"
#include "kernel.h"

int memcmp(const void *a, const void *b, size_t n); /* entry.c */

static void report_exit(struct guard *g, int status, const struct k_rusage *usage) {
  struct guard_message m = {0};
  int sig = status & 0x7f;
  m.type = GUARD_EXITED;
  m.a = sig ? -1 : (status >> 8) & 0xff;
  m.b = sig;
  m.user_us = (uint64_t)usage->utime_sec * 1000000u + (uint64_t)usage->utime_usec;
  m.system_us = (uint64_t)usage->stime_sec * 1000000u + (uint64_t)usage->stime_usec;
  m.max_rss_kib = (uint64_t)usage->maxrss;
  if (g->handoff->failed_step) {
    m.type = GUARD_FAILED;
    m.a = g->handoff->failed_step;
    m.b = g->handoff->failed_errno;
  }
  guard_send(g, &m, -1);
}

static void status_ended(struct guard *g) {
  raw(__NR_close, g->status);
  g->status = -1;
  if (g->handoff->execing && !g->handoff->failed_step) guard_tell(g, GUARD_EXECED, 0, 0);
}

/* Reaps what has ended. Returns 0 while there are children, 1 when there are none. */
static int reap(struct guard *g) {
  for (;;) {
    int status;
    struct k_rusage usage;
    long pid = raw(__NR_wait4, -1, &status, K_WNOHANG | K_WUNTRACED | K_WCONTINUED | K_WALL, &usage);
    if (pid == -K_ECHILD) return 1;
    if (pid <= 0) return 0;
    if (pid != g->pid) continue;
    if ((status & 0xff) == 0x7f) {
      if (throttle_holds(g->pid)) continue;
      throttle_stopped();
      terminal_take_back(g);
      guard_tell(g, GUARD_STOPPED, (status >> 8) & 0xff, 0);
    } else if (status == 0xffff) {
      if (!throttle_continued()) guard_tell(g, GUARD_CONTINUED, 0, 0);
    } else {
      if (g->status >= 0) status_ended(g);
      terminal_take_back(g);
      g->pid = 0;
      report_exit(g, status, &usage);
    }
  }
}

/* No descendant is left; somebody may have come into their control group who is none. */
__attribute__((noreturn)) static void leave(struct guard *g) {
  cgroup_kill(g);
  cgroup_remove(g);
  guard_exit(0);
}

/* Ends every descendant, layer by layer, and the guard with them. No process of the sandbox outlives this. */
__attribute__((noreturn)) static void end(struct guard *g) {
  for (;;) {
    cgroup_kill(g);
    tree_kill(g);
    if (reap(g)) leave(g);
    struct k_pollfd wait = {g->signals, K_POLLIN, 0};
    struct k_timespec patience = {0, 10 * 1000 * 1000};
    char drained[128];
    if (raw(__NR_ppoll, &wait, 1, &patience, 0, 8) > 0) raw(__NR_read, g->signals, drained, sizeof drained);
  }
}

/* A command that cannot be carried out any more is ignored: the target may have ended meanwhile. */
static void obey(struct guard *g, const struct guard_message *m) {
  if (m->type != GUARD_KILL) throttle_release(g); /* what is signalled now must not find everybody stopped */
  switch (m->type) {
    case GUARD_RELEASE:
      raw(__NR_write, g->release_write, "", 1);
      break;
    case GUARD_KILL:
      end(g);
    case GUARD_SIGNAL:
      if (g->pid && m->a > 0 && m->a <= K_NSIG) raw(__NR_kill, -g->pid, m->a);
      break;
    case GUARD_SIGNAL_TREE:
      if (m->a == K_SIGSTOP || m->a == K_SIGCONT) throttle_rest(m->a == K_SIGSTOP);
      if (m->a > 0 && m->a <= K_NSIG) tree_signal(g, m->a);
      break;
    case GUARD_FOREGROUND:
      terminal_give(g);
      if (g->pid) raw(__NR_kill, -g->pid, K_SIGCONT);
      break;
    default:
      break;
  }
}

int guard_write_file(const char *path, const char *text) {
  long fd = raw(__NR_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
  if (fd < 0) return (int)fd;
  long n = raw(__NR_write, fd, text, text_length(text));
  raw(__NR_close, fd);
  return n < 0 ? (int)n : 0;
}

/* One line each, ours to theirs; setgroups first, or an unprivileged gid_map is refused. user_namespaces(7). */
static int map_user(struct guard *g) {
  const struct plan *p = g->plan;
  char path[48], line[64];
  char *end = text_decimal(text_append(path, "/proc/"), g->pid);
  text_append(text_decimal(text_append(text_decimal(line, p->uid), " "), p->real_uid), " 1");
  text_append(end, "/uid_map");
  int result = guard_write_file(path, line);
  if (result < 0) return result;
  text_append(end, "/setgroups");
  result = guard_write_file(path, "deny");
  if (result < 0) return result;
  text_append(text_decimal(text_append(text_decimal(line, p->gid), " "), p->real_gid), " 1");
  text_append(end, "/gid_map");
  return guard_write_file(path, line);
}

/* Does what the supervisor has asked for so far; ends everything when it is gone. Never sleeps. */
static void hear(struct guard *g) {
  struct k_pollfd supervisor = {g->supervisor, K_POLLIN, 0};
  struct k_timespec now = {0, 0};
  struct guard_message m;
  int got;
  if (raw(__NR_ppoll, &supervisor, 1, &now, 0, 8) > 0) end(g);
  while ((got = guard_receive(g, &m)) > 0) obey(g, &m);
  if (got < 0) end(g);
}

/*
 * The filter is on, or about to be. From here the target may be held in any system call, so it cannot be asked;
 * its listener is looked for in the descriptor table that both share. Then the table is unshared, the listener
 * passed on, and everything but the guard's own descriptors closed.
 */
static void take_listener(struct guard *g) {
  struct handoff *h = g->handoff;
  for (int turn = 0; !__atomic_load_n(&h->installed, __ATOMIC_ACQUIRE); turn++) {
    if (__atomic_load_n(&h->failed_step, __ATOMIC_ACQUIRE)) break;
    struct k_timespec moment = {0, 20000};
    if (turn < 200) raw(__NR_sched_yield);
    else raw(__NR_nanosleep, &moment, 0);
    /* WNOWAIT: whoever killed it here, the main loop reports it. */
    if (turn % 200 == 199) {
      int info[32] = {0}; /* siginfo_t: si_signo comes first and stays 0 while it lives */
      long result = raw(__NR_waitid, K_P_PID, g->pid, info, K_WNOHANG | K_WEXITED | K_WNOWAIT | K_WALL, 0);
      if (result < 0 || info[0]) break;
      /* A target that was stopped in this moment goes on only if somebody says so; or it ends with its supervisor. */
      hear(g);
    }
  }
  int listener = h->listener;
  long unshared = raw(__NR_close_range, g->status_write, g->status_write, K_CLOSE_RANGE_UNSHARE);
  if (unshared < 0) {
    h->failed_step = STEP_HANDOVER;
    h->failed_errno = (int)-unshared;
    end(g);
  }
  g->status_write = -1;
  if (listener >= 0) {
    struct guard_message m = {0};
    m.type = GUARD_LISTENER;
    m.a = h->wait_killable;
    guard_send(g, &m, listener);
  }
  raw(__NR_close_range, 0, g->base - 1, 0); /* stdio and the listener: their readers wait for end of file */
}

static void status_readable(struct guard *g) {
  char byte;
  long n = raw(__NR_read, g->status, &byte, 1);
  if (n == -K_EINTR || n == -K_EAGAIN) return;
  if (n != 1) status_ended(g);
  else if (byte == 'P') guard_tell(g, GUARD_PARKED, 0, 0);
  else if (byte == 'I') take_listener(g);
}

__attribute__((noreturn)) static void watch(struct guard *g) {
  for (;;) {
    struct k_pollfd fds[4] = {
        {g->control, K_POLLIN, 0},
        {g->signals, K_POLLIN, 0},
        {g->supervisor, K_POLLIN, 0},
        {g->status, K_POLLIN, 0},
    };
    int64_t wait = throttle_wait(g);
    struct k_timespec until = {wait / 1000000000, wait % 1000000000};
    long n = raw(__NR_ppoll, fds, 4, wait < 0 ? 0 : &until, 0, 8);
    if (n == -K_EINTR) continue;
    throttle_turn(g);
    if (n < 0) end(g);
    if (fds[3].revents) status_readable(g);
    if (fds[1].revents) {
      char drained[512];
      raw(__NR_read, g->signals, drained, sizeof drained);
      int childless = reap(g);
      if (!g->pid) {
        if (childless) leave(g);
        end(g);
      }
    }
    if (fds[0].revents || fds[2].revents) hear(g);
  }
}

static int fail_setup(struct guard *g, int step, long result) {
  guard_tell(g, GUARD_FAILED, step, (int)-result);
  cgroup_remove(g);
  return 1;
}

/* Everything but the target's descriptors and ours goes: the supervisor may hold others open across exec. */
static long sweep(struct guard *g) {
  for (int fd = 3; fd < g->base; fd++)
    if (!(g->plan->keep_fds >> fd & 1)) raw(__NR_close, fd);
  for (int fd = g->base; fd < g->base + GUARD_FDS; fd++) raw(__NR_fcntl, fd, F_SETFD, FD_CLOEXEC);
  return raw(__NR_close_range, g->base + GUARD_FDS, ~0U, 0);
}

static int pipe_above(struct guard *g, int *read_end, int *write_end) {
  int ends[2];
  long result = raw(__NR_pipe2, ends, O_CLOEXEC);
  if (result < 0) return (int)result;
  /* Low numbers stay free: the listener takes the lowest, and RLIMIT_NOFILE of the target may be small. */
  long r = raw(__NR_fcntl, ends[0], F_DUPFD_CLOEXEC, g->base + GUARD_FDS);
  long w = raw(__NR_fcntl, ends[1], F_DUPFD_CLOEXEC, g->base + GUARD_FDS);
  raw(__NR_close, ends[0]);
  raw(__NR_close, ends[1]);
  if (r < 0 || w < 0) return (int)(r < 0 ? r : w);
  *read_end = (int)r;
  *write_end = (int)w;
  return 0;
}

/* Moves a descriptor above the target's numbers. */
int guard_above(struct guard *g, long fd) {
  if (fd < 0) return (int)fd;
  long moved = raw(__NR_fcntl, fd, F_DUPFD_CLOEXEC, g->base + GUARD_FDS);
  raw(__NR_close, fd);
  return (int)moved;
}

static int read_plan(struct guard *g) {
  int fd = g->base + GUARD_PLAN;
  long size = raw(__NR_lseek, fd, 0, 2 /* SEEK_END */);
  if (size < (long)sizeof(struct plan)) return size < 0 ? (int)size : -K_EINVAL;
  long at = raw(__NR_mmap, 0, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (at < 0 && at > -4096) return (int)at;
  g->plan = (const struct plan *)at;
  g->plan_bytes = (size_t)size;
  raw(__NR_close, fd);
  const struct plan *p = g->plan;
  if (p->magic != PLAN_MAGIC) return -K_EINVAL;
  if (p->filter_count > 4096 || p->filter_offset + 8ul * p->filter_count > g->plan_bytes) return -K_EINVAL;
  if ((unsigned long)p->cpus_offset + p->cpus_bytes > g->plan_bytes || p->cwd_offset >= g->plan_bytes) return -K_EINVAL;
  if (p->cgroup_offset >= g->plan_bytes) return -K_EINVAL;
  return 0;
}

static int set_up(struct guard *g) {
  long result = read_plan(g);
  if (result < 0) return (int)result;
  if ((result = sweep(g)) < 0) return (int)result;
  uint64_t all = ~0ull, child = 1ull << (K_SIGCHLD - 1);
  raw(__NR_rt_sigprocmask, 2, &all, 0, 8);
  raw(__NR_prctl, PR_SET_NAME, "sandlock-guard", 0, 0, 0);
  if ((result = raw(__NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)) < 0) return (int)result;
  struct k_sigaction dfl = {0};
  raw(__NR_rt_sigaction, K_SIGCHLD, &dfl, 0, 8); /* an inherited SIG_IGN would reap on its own */
  terminal_open(g);
  /* Out of the caller's group: what a shell or a terminal sends to it is for the supervisor to pass on. */
  if (g->plan->flags & PLAN_INTERACTIVE) raw(__NR_setpgid, 0, 0);
  else raw(__NR_setsid);
  g->signals = guard_above(g, raw(__NR_signalfd4, -1, &child, 8, O_CLOEXEC | O_NONBLOCK));
  if (g->signals < 0) return g->signals;
  g->supervisor = guard_above(g, raw(__NR_pidfd_open, raw(__NR_getppid), 0)); /* if refused, the socket alone tells */
  if ((result = pipe_above(g, &g->status, &g->status_write)) < 0) return (int)result;
  if ((result = pipe_above(g, &g->release_read, &g->release_write)) < 0) return (int)result;
  if (g->plan->flags & PLAN_USER && (result = pipe_above(g, &g->map_read, &g->map_write)) < 0) return (int)result;
  long page = raw(__NR_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page < 0 && page > -4096) return (int)page;
  g->handoff = (struct handoff *)page;
  g->handoff->listener = -1;
  return 0;
}

/*
 * Orphans are found by /proc alone. Without it, or with that of another pid namespace, they would outlive their
 * sandbox; so there is none then.
 */
static int check_proc(struct guard *g) {
  char number[24];
  long n = raw(__NR_readlinkat, AT_FDCWD, "/proc/self", number, sizeof number - 1);
  if (n < 0) return (int)n;
  number[n] = 0;
  if (text_number(number) != g->self) return -K_ENOENT;
  long fd = raw(__NR_openat, AT_FDCWD, "/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (fd < 0) return (int)fd;
  raw(__NR_close, fd);
  return 0;
}

int guard_main(int argc, char **argv, char **envp) {
  struct guard guard = {0}, *g = &guard;
  /* As a program in a sandbox that is tried out: static, one system call, its answer is the exit code. */
  if (argc == 2 && memcmp(argv[1], "probe", 6) == 0) return (int)raw(__NR_getpid) & 0x7f;
  if (argc < 3 || (g->base = text_number(argv[1])) < 3 || g->base > 64) return 2;
  g->control = g->base + GUARD_CONTROL;
  g->argv = argv + 2;
  g->envp = envp;
  g->status = g->supervisor = g->terminal = g->cgroup_procs = g->cgroup_kill = -1;
  g->self = (int)raw(__NR_getpid);
  int result = set_up(g);
  if (result < 0) return fail_setup(g, STEP_PLAN, result);
  if ((result = check_proc(g)) < 0) return fail_setup(g, STEP_PROC, result);
  if ((result = cgroup_open(g)) < 0) return fail_setup(g, STEP_CGROUP, result);

  /* The descriptor table is shared so that the listener, once installed, can be passed on from here: nothing
     has to be taken out of the target by ptrace or pidfd_getfd, which a container may not allow. */
  unsigned long flags = CLONE_FILES | K_SIGCHLD;
  if (g->plan->flags & PLAN_USER) flags |= CLONE_NEWUSER;
  long pid = raw(__NR_clone, flags, 0, 0, 0, 0);
  if (pid == 0) target_main(g);
  if (pid < 0) return fail_setup(g, g->plan->flags & PLAN_USER ? STEP_USER_NAMESPACE : STEP_CLONE, pid);
  g->pid = (int)pid;
  guard_tell(g, GUARD_STARTED, g->pid, 0);
  if (g->plan->flags & PLAN_USER) {
    result = map_user(g);
    if (result < 0) {
      g->handoff->failed_errno = -result;
      g->handoff->failed_step = STEP_USER_NAMESPACE;
      end(g);
    }
    raw(__NR_write, g->map_write, "", 1);
  }
  if (!(g->plan->flags & PLAN_KEEP_ALL_CAPS) && !g->plan->keep_caps) target_drop_capabilities(cgroup_capability(g));
  watch(g);
}

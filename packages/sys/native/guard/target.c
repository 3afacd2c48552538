/*
 * Target: from clone to exec.
 *
 * Each step that fails says which it was and why; nothing is skipped. The order matters: what needs a privilege
 * or a right comes before no_new_privs and Landlock, those before the filter, and after the filter there is one
 * system call only, execve, because by then any call may be a notification that waits for the supervisor.
 */
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/personality.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>

#include "../raw.h"
#include "guard.h"
#include "kernel.h"

void *memcpy(void *restrict to, const void *restrict from, size_t n); /* entry.c */

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#ifndef ADDR_NO_RANDOMIZE
#define ADDR_NO_RANDOMIZE 0x0040000
#endif

__attribute__((noreturn)) static void fail(struct guard *g, int step, long result) {
  g->handoff->failed_errno = (int)-result;
  __atomic_store_n(&g->handoff->failed_step, step, __ATOMIC_RELEASE);
  guard_exit(127);
}

static void must(struct guard *g, int step, long result) {
  if (result < 0) fail(g, step, result);
}

static void wait_for_byte(struct guard *g, int fd, int step) {
  char byte;
  long n;
  do n = raw(__NR_read, fd, &byte, 1);
  while (n == -K_EINTR);
  if (n != 1) fail(g, step, n < 0 ? n : -K_EIO); /* end of file: the guard is gone */
}

static void say(struct guard *g, char byte) { raw(__NR_write, g->status_write, &byte, 1); }

/*
 * Leaves `keep` in the permitted, effective and bounding sets, and nothing in the inheritable and ambient ones.
 * Without the bounding set, exec by uid 0 cannot regain a capability; no_new_privs and SECBIT_NOROOT say the
 * same twice more. capabilities(7), "Transformation of capabilities during execve()".
 */
int target_drop_capabilities(uint64_t keep) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  long result = raw(__NR_capget, &header, data);
  if (result < 0) return (int)result;
  if (data[0].effective & (1u << CAP_SETPCAP)) {
    for (int cap = 0; cap < 64; cap++) {
      if (keep >> cap & 1) continue;
      result = raw(__NR_prctl, PR_CAPBSET_DROP, cap, 0, 0, 0);
      if (result == -K_EINVAL) break; /* past the kernel's last capability */
      if (result < 0) return (int)result;
    }
    if (!keep) {
      result = raw(__NR_prctl, PR_SET_SECUREBITS,
                   SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                       SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
                       SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED,
                   0, 0, 0);
      /* EPERM: a sandbox around this one forbids it. The empty bounding set and no_new_privs say the same. */
      if (result < 0 && result != -K_EPERM) return (int)result;
    }
  }
  result = raw(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (result < 0 && result != -K_EINVAL) return (int)result; /* EINVAL: before Linux 4.3, nothing to clear */
  for (int half = 0; half < 2; half++) {
    uint32_t mask = (uint32_t)(keep >> (32 * half));
    data[half].permitted &= mask;
    data[half].effective = data[half].permitted;
    data[half].inheritable = 0;
  }
  return (int)raw(__NR_capset, &header, data);
}

static void limit(struct guard *g, int step, int resource, uint64_t wanted) {
  struct k_rlimit now;
  must(g, step, raw(__NR_prlimit64, 0, resource, 0, &now));
  if (wanted > now.cur) wanted = now.cur;
  if (wanted > now.max) wanted = now.max;
  now.cur = now.max = wanted;
  must(g, step, raw(__NR_prlimit64, 0, resource, &now, 0));
}

static void coredump(struct guard *g) {
  struct k_rlimit now;
  must(g, STEP_COREDUMP, raw(__NR_prlimit64, 0, RLIMIT_CORE, 0, &now));
  /* A limit of 0 still feeds a pipe handler; 1 is what the kernel reads as "no dump at all". core(5). */
  now.cur = now.max = now.max ? 1 : 0;
  must(g, STEP_COREDUMP, raw(__NR_prlimit64, 0, RLIMIT_CORE, &now, 0));
}

static void session(struct guard *g) {
  if (!(g->plan->flags & PLAN_INTERACTIVE)) {
    must(g, STEP_SESSION, raw(__NR_setsid)); /* without a controlling terminal there is no /dev/tty */
    return;
  }
  must(g, STEP_SESSION, raw(__NR_setpgid, 0, 0));
  if (g->terminal >= 0 && g->terminal_owner > 0) {
    int group = (int)raw(__NR_getpid);
    must(g, STEP_TERMINAL, raw(__NR_ioctl, g->terminal, K_TIOCSPGRP, &group));
  }
}

/* libuv leaves what it wrapped non-blocking, and the flag belongs to the description that the target shares. */
static void blocking_stdio(void) {
  for (int fd = 0; fd < 3; fd++) {
    long flags = raw(__NR_fcntl, fd, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK)) raw(__NR_fcntl, fd, F_SETFL, flags & ~O_NONBLOCK);
  }
}

static void default_signals(struct guard *g) {
  struct k_sigaction dfl = {0};
  for (int sig = 1; sig <= K_NSIG; sig++) raw(__NR_rt_sigaction, sig, &dfl, 0, 8); /* not SIGKILL, SIGSTOP */
  uint64_t none = 0;
  must(g, STEP_SIGNALS, raw(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, &none, 0, 8));
}

static void filter(struct guard *g) {
  const struct plan *p = g->plan;
  if (!p->filter_count) return;
  struct {
    unsigned short len;
    const void *filter;
  } program = {(unsigned short)p->filter_count, (const char *)p + p->filter_offset};
  unsigned long flags = 0;
  if (p->flags & PLAN_LISTENER) flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
  long result = raw(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
  if (result >= 0) {
    g->handoff->wait_killable = flags != 0;
  } else if (result == -K_EINVAL && flags) {
    /* Before Linux 5.19. Without the flag a signal may deliver a call twice; nothing is allowed that was not. */
    result = raw(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
  }
  must(g, STEP_SECCOMP, result);
  g->handoff->listener = flags ? (int)result : -1;
}

static const char *environment(char **envp, const char *name) {
  size_t length = text_length(name);
  for (; *envp; envp++) {
    size_t i = 0;
    while (i < length && (*envp)[i] == name[i]) i++;
    if (i == length && (*envp)[i] == '=') return *envp + length + 1;
  }
  return 0;
}

/* execvp(3), except that a file without a known format is an error and not a script for /bin/sh. */
static long execute(struct guard *g) {
  char **argv = g->argv, **envp = g->envp;
  const char *file = argv[0];
  char path[4096];
  size_t length = text_length(file);
  if (!length) return -K_ENOENT;
  for (size_t i = 0; i < length; i++)
    if (file[i] == '/') return raw(__NR_execve, file, argv, envp);
  const char *search = environment(envp, "PATH");
  if (!search) search = "/bin:/usr/bin";
  long result = -K_ENOENT;
  int refused = 0;
  for (const char *at = search;;) {
    const char *end = at;
    while (*end && *end != ':') end++;
    size_t directory = (size_t)(end - at);
    if (directory + length + 2 <= sizeof path) {
      memcpy(path, at, directory);
      if (directory) path[directory++] = '/'; /* an empty entry is the working directory */
      memcpy(path + directory, file, length + 1);
      result = raw(__NR_execve, path, argv, envp);
      if (result == -K_EACCES) refused = 1;
      else if (result != -K_ENOENT && result != -K_ENOTDIR) return result;
    }
    if (!*end) return refused ? -K_EACCES : result;
    at = end + 1;
  }
}

void target_main(struct guard *g) {
  const struct plan *p = g->plan;
  must(g, STEP_CGROUP, cgroup_enter(g));
  session(g);
  /* The guard is single-threaded, so "parent" means the guard, not one of its threads. prctl(2). */
  must(g, STEP_PARENT_DEATH, raw(__NR_prctl, PR_SET_PDEATHSIG, K_SIGKILL, 0, 0, 0));
  if (raw(__NR_getppid) != g->self) fail(g, STEP_PARENT_DEATH, -K_EIO);
  if (p->flags & PLAN_NO_ASLR) {
    long now = raw(__NR_personality, 0xffffffffUL);
    must(g, STEP_PERSONALITY, now);
    must(g, STEP_PERSONALITY, raw(__NR_personality, now | ADDR_NO_RANDOMIZE));
  }
  if (p->cpus_bytes)
    must(g, STEP_AFFINITY, raw(__NR_sched_setaffinity, 0, p->cpus_bytes, (const char *)p + p->cpus_offset));
  if (p->flags & PLAN_NO_THP) must(g, STEP_HUGE_PAGES, raw(__NR_prctl, PR_SET_THP_DISABLE, 1, 0, 0, 0));
  if (p->flags & PLAN_NO_COREDUMP) coredump(g);
  if (p->flags & PLAN_USER) wait_for_byte(g, g->map_read, STEP_USER_NAMESPACE);
  if (p->cwd_offset) must(g, STEP_CWD, raw(__NR_chdir, (const char *)p + p->cwd_offset));
  blocking_stdio();
  if (!(p->flags & PLAN_KEEP_ALL_CAPS)) must(g, STEP_CAPABILITIES, target_drop_capabilities(p->keep_caps));
  must(g, STEP_NO_NEW_PRIVS, raw(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  if (p->flags & PLAN_RULESET)
    must(g, STEP_LANDLOCK, raw(__NR_landlock_restrict_self, g->base + GUARD_RULESET, 0));
  if (p->flags & PLAN_PARK) {
    say(g, 'P');
    wait_for_byte(g, g->release_read, STEP_RELEASE);
  }
  if (p->flags & PLAN_NOFILE) limit(g, STEP_OPEN_FILES, RLIMIT_NOFILE, p->nofile);
  default_signals(g);
  say(g, 'I');
  filter(g);
  g->handoff->execing = 1;
  __atomic_store_n(&g->handoff->installed, 1, __ATOMIC_RELEASE);
  long result = execute(g);
  fail(g, STEP_EXEC, result);
}

/*
 * The start plan and the guard's protocol.
 *
 * Shared by the addon, which writes them, and the guard, which reads them: the one place that fixes the layout.
 * The plan is a memfd; offsets count from its first byte. The protocol is one record per message on a
 * SOCK_SEQPACKET pair.
 */
#ifndef SANDLOCK_PLAN_H
#define SANDLOCK_PLAN_H

#include <stdint.h>

#define PLAN_MAGIC 0x314e4c50u /* "PLN1" */

/* The guard's own descriptors stand above those of the target, from a base given as its first argument. */
enum { GUARD_CONTROL = 0, GUARD_PLAN = 1, GUARD_RULESET = 2, GUARD_FDS = 3 };

enum plan_flags {
  PLAN_INTERACTIVE = 1 << 0,    /* own process group in the caller's session, and its terminal if it has one */
  PLAN_PARK = 1 << 1,           /* wait for GUARD_RELEASE before the filter and exec */
  PLAN_LISTENER = 1 << 2,       /* install the filter with a listener */
  PLAN_RULESET = 1 << 3,        /* a Landlock ruleset descriptor is there */
  PLAN_NO_ASLR = 1 << 4,        /* ADDR_NO_RANDOMIZE */
  PLAN_NO_THP = 1 << 5,         /* PR_SET_THP_DISABLE */
  PLAN_NO_COREDUMP = 1 << 6,    /* RLIMIT_CORE */
  PLAN_NOFILE = 1 << 7,         /* RLIMIT_NOFILE */
  PLAN_USER = 1 << 8,           /* a user namespace with one mapping */
  PLAN_KEEP_ALL_CAPS = 1 << 9   /* leave every capability set as it is */
};

struct plan {
  uint32_t magic;
  uint32_t flags;
  uint64_t nofile;         /* soft and hard limit, capped by what is inherited */
  uint64_t keep_fds;       /* bit n: the target gets descriptor n, from 3 up to the guard's base */
  uint64_t keep_caps;      /* capability mask that stays permitted, effective and bounding */
  uint32_t uid, gid;       /* as the target sees itself */
  uint32_t real_uid, real_gid;
  uint32_t cwd_offset;     /* 0: inherit; otherwise a path that ends in NUL */
  uint32_t filter_offset;  /* struct sock_filter[filter_count] */
  uint32_t filter_count;   /* 0: no filter */
  uint32_t cpus_offset;    /* affinity mask */
  uint32_t cpus_bytes;     /* 0: inherit */
  uint32_t cgroup_offset;  /* 0: none; otherwise a directory, a path that ends in NUL */
  uint32_t cpu_percent;    /* of one processor, for the whole tree; 0: as much as there is */
};

/* Where a start failed. The numbers are part of the protocol; names for people are in src/spawn/steps.ts. */
enum start_step {
  STEP_NONE = 0,
  STEP_PLAN = 1,
  STEP_CLONE = 2,
  STEP_SESSION = 3,
  STEP_TERMINAL = 4,
  STEP_PARENT_DEATH = 5,
  STEP_PERSONALITY = 6,
  STEP_AFFINITY = 7,
  STEP_HUGE_PAGES = 8,
  STEP_COREDUMP = 9,
  STEP_USER_NAMESPACE = 10,
  STEP_CWD = 11,
  STEP_CAPABILITIES = 12,
  STEP_NO_NEW_PRIVS = 13,
  STEP_LANDLOCK = 14,
  STEP_RELEASE = 15,
  STEP_OPEN_FILES = 16,
  STEP_SIGNALS = 17,
  STEP_SECCOMP = 18,
  STEP_EXEC = 19,
  STEP_HANDOVER = 20, /* the listener could not be passed on */
  STEP_PROC = 21,     /* /proc is not there, or not that of this pid namespace */
  STEP_CGROUP = 22    /* the target could not be put into its control group */
};

enum guard_message_type {
  /* guard to supervisor */
  GUARD_STARTED = 1,   /* a: pid of the target */
  GUARD_PARKED = 2,    /* confined, waits for release */
  GUARD_LISTENER = 3,  /* the descriptor comes with it; a: 1 if WAIT_KILLABLE_RECV is on */
  GUARD_EXECED = 4,
  GUARD_FAILED = 5,    /* a: enum start_step, b: errno */
  GUARD_STOPPED = 6,   /* a: signal; the terminal is back with its former owner */
  GUARD_CONTINUED = 7,
  GUARD_EXITED = 8,    /* a: exit code or -1, b: signal or 0; then the rest of the tree is ended */
  /* supervisor to guard */
  GUARD_RELEASE = 32,
  GUARD_KILL = 33,     /* SIGKILL to every process of the tree */
  GUARD_SIGNAL = 34,   /* a: signal, to the target's process group */
  GUARD_SIGNAL_TREE = 35, /* a: signal, to every process of the tree (SIGSTOP, SIGCONT) */
  GUARD_FOREGROUND = 36   /* give the target the terminal and continue it */
};

struct guard_message {
  uint32_t type;
  int32_t a, b;
  uint32_t reserved;
  uint64_t user_us, system_us, max_rss_kib;
};

#endif

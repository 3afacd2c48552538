/*
 * Kernel ABI that the uapi headers leave to the C library, under names of our own.
 */
#ifndef SANDLOCK_KERNEL_H
#define SANDLOCK_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#define K_EPERM 1
#define K_ENOENT 2
#define K_ESRCH 3
#define K_EINTR 4
#define K_EIO 5
#define K_ECHILD 10
#define K_EAGAIN 11
#define K_EACCES 13
#define K_EBUSY 16
#define K_ENOTDIR 20
#define K_EINVAL 22
#define K_ENAMETOOLONG 36
#define K_ENOSYS 38
#define K_ELOOP 40

#define K_SIGHUP 1
#define K_SIGKILL 9
#define K_SIGCHLD 17
#define K_SIGCONT 18
#define K_SIGSTOP 19
#define K_NSIG 64

#define K_SOL_SOCKET 1
#define K_SCM_RIGHTS 1
#define K_MSG_DONTWAIT 0x40
#define K_MSG_NOSIGNAL 0x4000

#define K_POLLIN 1
#define K_POLLERR 8
#define K_POLLHUP 16

#define K_WNOHANG 1
#define K_WUNTRACED 2
#define K_WEXITED 4
#define K_WCONTINUED 8
#define K_WNOWAIT 0x01000000
#define K_P_PID 1
#define K_WALL 0x40000000

#define K_TIOCGPGRP 0x540f
#define K_TIOCSPGRP 0x5410

struct k_iovec {
  void *base;
  size_t len;
};

struct k_msghdr {
  void *name;
  int namelen;
  struct k_iovec *iov;
  size_t iovlen;
  void *control;
  size_t controllen;
  unsigned flags;
};

struct k_cmsghdr {
  size_t len;
  int level, type;
};

struct k_pollfd {
  int fd;
  short events, revents;
};

struct k_timespec {
  int64_t sec, nsec;
};

/* struct rusage up to the last field that is read; the kernel writes 144 bytes. */
struct k_rusage {
  int64_t utime_sec, utime_usec, stime_sec, stime_usec, maxrss;
  int64_t rest[13];
};

/* asm-generic/signal-defs.h; x86 has a restorer field, which SIG_DFL and SIG_IGN do not need. */
struct k_sigaction {
  void *handler;
  unsigned long flags;
#if defined(__x86_64__)
  void *restorer;
#endif
  uint64_t mask;
};

struct k_rlimit {
  uint64_t cur, max;
};

struct k_dirent64 {
  uint64_t ino;
  int64_t off;
  unsigned short reclen;
  unsigned char type;
  char name[];
};

#ifndef __NR_landlock_restrict_self
#define __NR_landlock_restrict_self 446
#endif
#ifndef __NR_close_range
#define __NR_close_range 436
#endif
#define K_CLOSE_RANGE_UNSHARE 2

#endif

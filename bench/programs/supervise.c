/*
 * Supervise: the least that answers a notified call, as the mark for the supervisor in TypeScript.
 *
 *   supervise getppid PROGRAM ARGUMENTS...
 *   supervise getppid-polled PROGRAM ARGUMENTS...
 *   supervise openat PROGRAM ARGUMENTS...
 *
 * The target installs a filter that notifies this one call; this process receives in a blocking loop, with
 * the synchronous wake-up. It answers getppid with 42, and lets every openat go on, unseen. No Landlock, no table, no
 * checks. `-polled` waits with poll(2) before it receives, for the listener and an epoll, as whoever waits for anything else
 * as well has to: receiving cannot be told to give up. seccomp_unotify(2)
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS _IOW('!', 4, __u64)
#endif
#define SYNC_WAKE_UP 1UL

static volatile int *listener;

static int install(unsigned nr) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof code / sizeof *code, code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return -1;
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

/* Whether there is something to receive. */
static int polled(int fd) {
  static int others = -1;
  if (others < 0) others = epoll_create1(EPOLL_CLOEXEC);
  struct pollfd fds[] = {{fd, POLLIN, 0}, {others, POLLIN, 0}};
  return poll(fds, 2, -1) > 0 && (fds[0].revents & POLLIN);
}

static void serve(int fd, const struct seccomp_notif_resp *answer, int polls) {
  if (ioctl(fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SYNC_WAKE_UP)) fprintf(stderr, "no synchronous wake-up\n");
  for (;;) {
    struct seccomp_notif notification = {0};
    if (polls && !polled(fd)) return;
    if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &notification)) {
      struct pollfd listener = {fd, POLLIN, 0};
      if (errno == EINTR || poll(&listener, 1, 0) == 0 || !(listener.revents & POLLHUP)) continue;
      return; /* ENOENT, and nobody has the filter any more */
    }
    struct seccomp_notif_resp response = *answer;
    response.id = notification.id;
    ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &response);
  }
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  int opens = strcmp(argv[1], "openat") == 0, polls = strcmp(argv[1], "getppid-polled") == 0;
  struct seccomp_notif_resp answer = {.val = opens ? 0 : 42, .flags = opens ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0};
  listener = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  *listener = -1;
  /* One descriptor table until exec, so the listener has a number here as well. */
  pid_t pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
  if (pid < 0) return 1;
  if (pid == 0) {
    *listener = install(opens ? SYS_openat : SYS_getppid);
    execvp(argv[2], argv + 2);
    _exit(127);
  }
  while (*listener < 0) {
    int status;
    if (waitpid(pid, &status, WNOHANG) == pid) return 1;
    sched_yield();
  }
  /* exec gives the target a table of its own, in which the listener is closed: it closes on exec. */
  serve(*listener, &answer, polls);
  int status;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

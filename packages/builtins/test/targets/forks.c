/* Makes processes in every way there is. forks MODE N; prints "ok=<made> eagain=<refused>". */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int made, refused, other;

static void count(long pid) {
  if (pid > 0) made++;
  else if (errno == EAGAIN) refused++;
  else other = errno;
}

static void sleeping(void) {
  for (;;) pause();
}

static void *idle(void *unused) {
  usleep(300000);
  return unused;
}

static int asleep(void *unused) {
  (void)unused;
  for (;;) pause();
}

struct shared {
  atomic_int go, made, refused;
};

static void *fork_once(void *at) {
  struct shared *s = at;
  while (!s->go) usleep(100);
  pid_t pid = fork();
  if (pid == 0) sleeping();
  if (pid > 0) s->made++;
  else s->refused++;
  return 0;
}

static void *fork_in_thread(void *unused) {
  if (fork() == 0) {
    usleep(2000);
    _exit(0);
  }
  return unused;
}

static void *vfork_once(void *at) {
  struct shared *s = at;
  pid_t pid = vfork();
  if (pid == 0) {
    s->made++;
    sleeping();
  }
  s->refused++;
  return 0;
}

int main(int argc, char **argv) {
  const char *mode = argv[1];
  int n = argc > 2 ? atoi(argv[2]) : 1;
  if (!strcmp(mode, "sleepers")) { /* children that stay */
    for (int i = 0; i < n; i++) {
      long pid = fork();
      if (pid == 0) sleeping();
      count(pid);
    }
  } else if (!strcmp(mode, "raw")) { /* the system call itself, where there is one */
#ifdef SYS_fork
    for (int i = 0; i < n; i++) {
      long pid = syscall(SYS_fork);
      if (pid == 0) sleeping();
      count(pid);
    }
#endif
  } else if (!strcmp(mode, "clone")) {
    for (int i = 0; i < n; i++) {
      long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
      if (pid == 0) sleeping();
      count(pid);
    }
  } else if (!strcmp(mode, "highbits")) { /* CLONE_THREAD where the kernel does not look */
    for (int i = 0; i < n; i++) {
      long pid = syscall(SYS_clone, SIGCHLD | (0x10000ul << 32), 0, 0, 0, 0);
      if (pid == 0) sleeping();
      count(pid);
    }
  } else if (!strcmp(mode, "clone3")) {
    unsigned long args[8] = {0, 0, 0, 0, SIGCHLD};
    long pid = syscall(SYS_clone3, args, sizeof args);
    if (pid == 0) _exit(0);
    count(pid);
  } else if (!strcmp(mode, "vfork")) { /* by threads, each of which stays in the call until its child ends */
    struct shared *s = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_t thread;
    for (int i = 0; i < n; i++) pthread_create(&thread, 0, vfork_once, s);
    while (s->made + s->refused < n) usleep(1000);
    made = s->made;
    refused = s->refused;
  } else if (!strcmp(mode, "shared")) { /* processes that share memory */
    for (int i = 0; i < n; i++) {
      char *stack = malloc(65536);
      long pid = clone(asleep, stack + 65536, CLONE_VM | SIGCHLD, 0);
      count(pid);
    }
  } else if (!strcmp(mode, "orphans")) { /* double forks: the child in between ends at once */
    for (int i = 0; i < n; i++) {
      int pipes[2];
      if (pipe(pipes)) return 1;
      long pid = fork();
      if (pid == 0) {
        setsid();
        long grandchild = fork();
        if (grandchild == 0) sleeping();
        char made_it = grandchild > 0;
        if (write(pipes[1], &made_it, 1) != 1) _exit(1);
        _exit(0);
      }
      char made_it = 0;
      if (pid > 0) {
        if (read(pipes[0], &made_it, 1) != 1) return 1;
        waitpid(pid, 0, 0);
      }
      close(pipes[0]);
      close(pipes[1]);
      if (made_it) made++;
      else refused++;
    }
  } else if (!strcmp(mode, "parents")) { /* CLONE_PARENT: brothers instead of children */
    for (int i = 0; i < n; i++) {
      long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
      if (pid == 0) sleeping();
      count(pid);
    }
  } else if (!strcmp(mode, "wait")) { /* one after the other */
    for (int i = 0; i < n; i++) {
      long pid = fork();
      if (pid == 0) _exit(0);
      count(pid);
      if (pid > 0) waitpid(pid, 0, 0);
    }
  } else if (!strcmp(mode, "wnohang")) {
    for (int i = 0; i < n; i++) {
      long pid = fork();
      if (pid == 0) _exit(0);
      count(pid);
      if (pid > 0)
        while (waitpid(pid, 0, WNOHANG) == 0) usleep(100);
    }
  } else if (!strcmp(mode, "zombies")) { /* never waited for */
    for (int i = 0; i < n; i++) {
      siginfo_t info;
      long pid = fork();
      if (pid == 0) _exit(0);
      count(pid);
      if (pid > 0) waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
    }
  } else if (!strcmp(mode, "waits")) { /* waits without children, then children that stay */
    for (int i = 0; i < 1000; i++)
      if (waitpid(-1, 0, 0) != -1 || errno != ECHILD) return 1;
    for (int i = 0; i < n; i++) {
      long pid = fork();
      if (pid == 0) sleeping();
      count(pid);
    }
  } else if (!strcmp(mode, "threads")) {
    pthread_t threads[64];
    for (int i = 0; i < n; i++) {
      int error = pthread_create(&threads[i], 0, idle, 0);
      if (error) other = error;
      else made++;
    }
    for (int i = 0; i < made; i++) pthread_join(threads[i], 0);
  } else if (!strcmp(mode, "leaderless")) { /* children whose first thread has ended live on */
    for (int i = 0; i < n; i++) {
      long pid = fork();
      if (pid == 0) {
        pthread_t thread;
        pthread_create(&thread, 0, (void *(*)(void *))asleep, 0);
        pthread_exit(0);
      }
      count(pid);
      usleep(50000);
    }
  } else if (!strcmp(mode, "storm")) { /* n processes, each forking at the same moment */
    struct shared *s = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_t threads[256];
    for (int i = 0; i < n; i++) pthread_create(&threads[i], 0, fork_once, s);
    s->go = 1;
    for (int i = 0; i < n; i++) pthread_join(threads[i], 0);
    made = s->made;
    refused = s->refused;
  } else if (!strcmp(mode, "again")) { /* at the limit, children end, and forks succeed again */
    pid_t children[64];
    int rounds = 0;
    for (int round = 0; round < n; round++) {
      int alive = 0;
      for (int i = 0; i < 64; i++) {
        pid_t pid = fork();
        if (pid == 0) sleeping();
        if (pid < 0) break;
        children[alive++] = pid;
      }
      if (round == 0) made = alive;
      if (alive == made) rounds++;
      else fprintf(stderr, "round %d: %d\n", round, alive);
      for (int i = 0; i < alive; i++) kill(children[i], SIGKILL);
      for (int i = 0; i < alive; i++) waitpid(children[i], 0, 0);
    }
    printf("rounds=%d ", rounds);
  } else if (!strcmp(mode, "bomb")) { /* everybody forks in every way for as long as it goes, for n ms */
    signal(SIGCHLD, SIG_IGN);
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
      unsigned seed = getpid() * 31 + made++;
      int way = rand_r(&seed) % 5;
      pid_t pid = -1;
      pthread_t thread;
      if (way == 0) pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
      else if (way == 1) pthread_create(&thread, 0, fork_in_thread, 0);
      else if (way == 2 && (pid = vfork()) == 0) _exit(0);
      else if (way != 2) pid = fork();
      if (way == 3) prctl(PR_SET_CHILD_SUBREAPER, rand_r(&seed) % 2, 0, 0, 0);
      if (pid == 0 && rand_r(&seed) % 3 == 0) _exit(0);
      if (pid < 0) usleep(rand_r(&seed) % 400);
      clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < n);
    _exit(0);
  } else {
    return 2;
  }
  printf("ok=%d eagain=%d%s%s\n", made, refused, other ? " other=" : "", other ? strerror(other) : "");
  return 0;
}

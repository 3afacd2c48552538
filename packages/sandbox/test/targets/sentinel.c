/* A stranger: takes every signal that it may take and says which, until its stdin ends. SIGIO says so, too. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

int main(void) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, 0);
  int signals = signalfd(-1, &all, SFD_CLOEXEC);
  printf("ready\n");
  fflush(stdout);
  for (;;) {
    struct pollfd fds[2] = {{0, POLLIN, 0}, {signals, POLLIN, 0}};
    poll(fds, 2, -1);
    if (fds[1].revents) {
      struct signalfd_siginfo info;
      if (read(signals, &info, sizeof info) != sizeof info) return 1;
      printf("signal %u\n", info.ssi_signo);
      if (fflush(stdout)) return 1; /* nobody listens any more: saying so would be a signal again */
    } else if (fds[0].revents) {
      char byte;
      if (read(0, &byte, 1) <= 0) return 0;
    }
  }
}

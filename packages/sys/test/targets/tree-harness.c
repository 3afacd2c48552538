/*
 * The guard's tree, with lists read a few bytes at a time, and with kill(2) written down instead of made.
 *
 * Makes COUNT children that wait, asks for all to be killed, and prints "child PID" and "kill PID" lines.
 */
#define LIST_BYTES 10 /* no multiple of a number and its blank, so that reads end inside of numbers */
#include "../../native/raw.h"

static long recorded(long nr, long a, long b, long c, long d, long e, long f);
#define raw6 recorded
#include "../../native/guard/tree.c"
#include "../../native/guard/text.c"
#undef raw6

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static long recorded(long nr, long a, long b, long c, long d, long e, long f) {
  if (nr == __NR_kill) {
    printf("kill %ld\n", a);
    return 0;
  }
  return raw6(nr, a, b, c, d, e, f);
}

int main(int argc, char **argv) {
  int count = argc > 1 ? atoi(argv[1]) : 0;
  pid_t *children = calloc((size_t)count, sizeof *children);
  for (int i = 0; i < count; i++) {
    children[i] = fork();
    if (children[i] == 0)
      for (;;) pause();
    printf("child %d\n", children[i]);
    fflush(stdout);
  }
  struct guard g = {0};
  g.self = getpid();
  tree_kill(&g);
  fflush(stdout);
  for (int i = 0; i < count; i++) {
    kill(children[i], SIGKILL);
    waitpid(children[i], 0, 0);
  }
  return 0;
}

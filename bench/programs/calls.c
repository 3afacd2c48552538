/*
 * Calls: the target of the call benchmarks. One system call, many times; prints nanoseconds for each.
 *
 *   calls getppid|fstat|pread COUNT
 *
 * It times itself, so that neither its start nor who started it counts.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static char page[4096];

static long call(const char *name, int fd) {
  struct stat st;
  switch (name[0]) {
    case 'g': return syscall(SYS_getppid);
    case 'f': return syscall(SYS_fstat, fd, &st);
    default: return syscall(SYS_pread64, fd, page, sizeof page, 0L);
  }
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  long count = atol(argv[2]);
  int fd = open(argv[0], O_RDONLY | O_CLOEXEC);
  struct timespec from, to;
  for (long n = 0; n < count / 20; n++) call(argv[1], fd); /* warm: handler compiled, page cached */
  clock_gettime(CLOCK_MONOTONIC, &from);
  for (long n = 0; n < count; n++) call(argv[1], fd);
  clock_gettime(CLOCK_MONOTONIC, &to);
  double ns = (to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec);
  printf("%.1f %ld\n", ns / count, call(argv[1], fd));
  return 0;
}

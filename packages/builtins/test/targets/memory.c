/* Uses memory in ways that take no request of their own, or many at once. Prints "done" if it is let. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static size_t mib;

static void touch(volatile char *at, size_t bytes) {
  for (size_t i = 0; i < bytes; i += 4096) at[i] = 1;
}

static void reserve(void) { /* a reservation that becomes memory piece by piece */
  char *at = mmap(0, (size_t)1 << 36, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  for (size_t i = 0; i < mib; i++) {
    mprotect(at + (i << 20), 1 << 20, PROT_READ | PROT_WRITE);
    touch(at + (i << 20), 1 << 20);
  }
}

static void fixed(void) { /* the same with mmap, as Go and Java do */
  char *at = mmap(0, (size_t)1 << 36, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mmap(at, mib << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  touch(at, mib << 20);
}

static void small(void) { /* requests too small to be asked about */
  for (size_t i = 0; i < mib * 16; i++)
    touch(mmap(0, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 1 << 16);
}

static void crowded(void) { /* the heap of a process with very many mappings */
  char *at = mmap(0, 8000 << 12, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  for (size_t i = 0; i < 8000; i += 2) mprotect(at + (i << 12), 1 << 12, PROT_READ);
  for (size_t i = 0; i < mib; i++) {
    char *more = sbrk(1 << 20);
    if (more == (void *)-1) exit(3);
    touch(more, 1 << 20);
    if (sbrk(-4096) == (void *)-1 || sbrk(4096) == (void *)-1) exit(4);
  }
}

static void stack(size_t left) {
  volatile char here[1 << 16];
  touch(here, sizeof here);
  if (left > sizeof here) stack(left - sizeof here);
  here[0] = 2;
}

static void *deep(void *unused) {
  stack(mib << 20);
  return unused;
}

static void big_stack(void) {
  pthread_attr_t attr;
  pthread_t thread;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, (mib + 8) << 20);
  pthread_create(&thread, &attr, deep, 0);
  pthread_join(thread, 0);
}

static void *chunk(void *unused) {
  for (size_t i = 0; i < mib / 8; i++) touch(malloc(1 << 20), 1 << 20);
  return unused;
}

static void threads(void) { /* eight at once, an eighth each */
  pthread_t thread[8];
  for (int i = 0; i < 8; i++) pthread_create(&thread[i], 0, chunk, 0);
  for (int i = 0; i < 8; i++) pthread_join(thread[i], 0);
}

static void *forker(void *unused) {
  for (int i = 0; i < 4; i++) {
    if (fork() == 0) {
      for (size_t n = 0; n < mib / 16; n++) touch(malloc(1 << 20), 1 << 20);
      usleep(1000000);
      _exit(0);
    }
  }
  return unused;
}

static void *outliving(void *unused) { /* as the fixed ones, when the first thread has ended */
  usleep(100000);
  fixed();
  puts("done");
  exit(0);
  return unused;
}

static void outlived(void) {
  pthread_t thread;
  pthread_create(&thread, 0, outliving, 0);
  pthread_exit(0);
}

static void fill_memfd(void) {
  static char piece[1 << 20];
  int fd = memfd_create("of one thread", 0);
  for (size_t i = 0; i < mib; i++)
    if (write(fd, piece, sizeof piece) != sizeof piece) exit(3);
}

static int alone(void *unused) { /* runs without a C library's thread */
  (void)unused;
  fill_memfd();
  usleep(300000);
  syscall(SYS_exit_group, write(1, "done\n", 5) != 5);
  return 0;
}

static void own_table(void) { /* a thread with descriptors of its own */
  char *at = mmap(0, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (clone(alone, at + (1 << 16), CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, 0) < 0) exit(4);
  for (;;) pause();
}

static void *unsharing(void *unused) {
  if (syscall(SYS_close_range, 1000, 1000, 2 /* CLOSE_RANGE_UNSHARE */) < 0) exit(5);
  alone(0);
  return unused;
}

static void unshared_table(void) {
  pthread_t thread;
  pthread_create(&thread, 0, unsharing, 0);
  for (;;) pause();
}

static void forks(void) { /* four threads with four children each, a sixteenth each, all there at once */
  pthread_t thread[4];
  int status, ended = 0;
  for (int i = 0; i < 4; i++) pthread_create(&thread[i], 0, forker, 0);
  for (int i = 0; i < 4; i++) pthread_join(thread[i], 0);
  while (wait(&status) > 0) ended += WIFSIGNALED(status);
  printf("killed=%d\n", ended);
}

static void again(void) { /* as much as there may be, many times */
  for (int i = 0; i < 30; i++) {
    char *at = malloc(mib << 20);
    touch(at, mib << 20);
    free(at);
    if (fork() == 0) {
      touch(malloc(mib << 20), mib << 20);
      _exit(0);
    }
    wait(0);
  }
}

static void borrowed(void) { /* a child in the memory of its parent, for long enough to be looked at */
  int status;
  touch(malloc(mib << 20), mib << 20);
  if (vfork() == 0) {
    usleep(400000);
    _exit(0);
  }
  if (wait(&status) < 0 || status) exit(5);
}

static void spliced(void) { /* huge pages that stay in pipes, a byte of each, when they are unmapped */
  int ends[2];
  for (size_t i = 0; i < mib / 2; i++) {
    if (i % 16 == 0 && pipe(ends) < 0) exit(3);
    char *at = mmap(0, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    char *huge = (char *)(((uintptr_t)at + (2 << 20) - 1) & ~(uintptr_t)((2 << 20) - 1));
    struct iovec byte = {huge, 1};
    madvise(huge, 2 << 20, MADV_HUGEPAGE);
    touch(huge, 2 << 20);
    if (vmsplice(ends[1], &byte, 1, SPLICE_F_NONBLOCK) < 0) {
      perror("vmsplice");
      exit(4);
    }
    munmap(at, 4 << 20);
  }
}

static void failing(void) { /* what the kernel refuses was never had */
  for (int i = 0; i < 1000; i++) {
    if (mmap(0, mib << 20, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_SHARED | MAP_HUGETLB | (63 << 26), -1, 0) != MAP_FAILED) exit(3);
    if (mremap((void *)4096, 4096, mib << 20, 0) != MAP_FAILED) exit(4);
  }
}

int main(int argc, char **argv) {
  static const struct { const char *name; void (*run)(void); } modes[] = {
      {"reserve", reserve}, {"fixed", fixed}, {"small", small}, {"stack", big_stack}, {"threads", threads},
      {"forks", forks}, {"again", again}, {"borrowed", borrowed}, {"failing", failing}, {"crowded", crowded},
      {"spliced", spliced}, {"outlived", outlived}, {"own_table", own_table}, {"unshared_table", unshared_table},
  };
  if (argc != 3) return 2;
  mib = strtoul(argv[2], 0, 10);
  for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
    if (strcmp(modes[i].name, argv[1]) == 0) {
      modes[i].run();
      puts("done");
      return 0;
    }
  return 2;
}

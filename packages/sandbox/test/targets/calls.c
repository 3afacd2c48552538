/*
 * Makes the system calls that it is told, and says what the kernel answered.
 *
 * One step a line on stdin, `NR ARGUMENT...`; one line each on stdout, `RESULT ERRNO MEMORY...`. An argument is a
 * number, `r3` for the result of step 3, or `m` and hexadecimal bytes: the address of a copy of them, in which
 * `[...]` is the address of further bytes. MEMORY is what the call left in each. Steps that are no single call
 * have a word in place of the number.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_STEPS 4096

static long results[MAX_STEPS];
static char *at;

static int hex(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

static unsigned char *memory(size_t *length) {
  unsigned char *bytes = calloc(1, strlen(at) + 16);
  size_t n = 0;
  while (*at && *at != ' ' && *at != ']') {
    if (*at == '[') {
      size_t inner;
      at++;
      uint64_t address = (uintptr_t)memory(&inner);
      at++; /* the bracket's other half */
      memcpy(bytes + n, &address, 8);
      n += 8;
    } else {
      bytes[n++] = (unsigned char)(hex(at[0]) << 4 | hex(at[1]));
      at += 2;
    }
  }
  *length = n;
  return bytes;
}

static void *nothing(void *unused) { return unused; }

/* A child that does nothing until somebody ends it. */
static long sleeper(void) {
  pid_t pid = fork();
  if (pid != 0) return pid;
  for (;;) pause();
}

static long thread(void) {
  pthread_t id;
  int error = pthread_create(&id, 0, nothing, 0);
  if (error) return errno = error, -1;
  return pthread_join(id, 0);
}

/* The call as 32-bit code makes it; the kernel sees another architecture. */
static long int80(long nr) {
#ifdef __x86_64__
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(nr), "b"(0), "c"(0), "d"(0) : "memory", "r8", "r9", "r10", "r11");
  return result;
#else
  (void)nr;
  return errno = ENOSYS, -1;
#endif
}

/* The exit status of a child that executes a file: its code, or 256 and more for a signal, or minus errno of exec. */
static long execute(const char *path) {
  int ends[2], error = 0, status;
  if (pipe2(ends, O_CLOEXEC)) return -1;
  pid_t pid = fork();
  if (pid < 0) return -1;
  if (pid == 0) {
    char *argv[] = {(char *)path, 0}, *envp[] = {0};
    execve(path, argv, envp);
    if (write(ends[1], &errno, sizeof errno) < 0) _exit(2);
    _exit(1);
  }
  close(ends[1]);
  ssize_t got = read(ends[0], &error, sizeof error);
  close(ends[0]);
  waitpid(pid, &status, 0);
  if (got > 0) return errno = error, -1;
  return WIFSIGNALED(status) ? 256 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(void) {
  static char line[1 << 16];
  for (int step = 0; step < MAX_STEPS && fgets(line, sizeof line, stdin); step++) {
    line[strcspn(line, "\n")] = 0;
    char *word = line;
    at = line + strcspn(line, " ");
    if (*at) *at++ = 0;
    long args[6] = {0};
    unsigned char *buffers[6];
    size_t lengths[6];
    int count = 0, nbuffers = 0;
    while (*at && count < 6) {
      if (*at == 'm') {
        at++;
        buffers[nbuffers] = memory(&lengths[nbuffers]);
        args[count++] = (long)buffers[nbuffers++];
      } else if (*at == 'r') {
        args[count++] = results[strtol(at + 1, &at, 10)];
      } else {
        args[count++] = (long)strtoull(at, &at, 10);
      }
      if (*at == ' ') at++;
    }
    errno = 0;
    long result;
    if (!strcmp(word, "sleeper")) result = sleeper();
    else if (!strcmp(word, "thread")) result = thread();
    else if (!strcmp(word, "int80")) result = int80(args[0]);
    else if (!strcmp(word, "execute")) result = execute((char *)args[0]);
    else result = syscall(strtol(word, 0, 10), args[0], args[1], args[2], args[3], args[4], args[5]);
    int error = result == -1 ? errno : 0;
    results[step] = result;
    printf("%ld %d", result, error);
    for (int i = 0; i < nbuffers; i++) {
      putchar(' ');
      if (!lengths[i]) putchar('-');
      for (size_t b = 0; b < lengths[i]; b++) printf("%02x", buffers[i][b]);
    }
    putchar('\n');
    fflush(stdout);
  }
  return 0;
}

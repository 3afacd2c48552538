/*
 * file-times: times of the files of the current directory, by every call that shows or sets them; or the errno of calls that
 * fail. One `name value` a line: nanoseconds of the last change, or negative errnos.
 *
 *   file-times show FILE      what each call shows
 *   file-times set            sets the times of `mine` in every way; each line what is shown afterwards
 *   file-times errors         calls that fail; `mine`, `directory`, `link` (to `mine`), `loop` (to itself) are there
 *   file-times try PATH...    stat, and setting to 1000000000 and to now
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

static void say(const char* name, long value) { printf("%s %ld\n", name, value); }
static long code(long result) { return result == -1 ? -errno : result; }
static long ns(struct timespec t) { return t.tv_sec * 1000000000 + t.tv_nsec; }
static long shown(long result, struct stat* s) { return result == 0 ? ns(s->st_mtim) : -errno; }
static struct stat s;
static struct statx x;

static long statxOf(int dir, const char* path, int flags) {
  memset(&x, 0, sizeof x);
  long result = syscall(SYS_statx, dir, path, flags, STATX_BASIC_STATS | STATX_BTIME, &x);
  return result == 0 ? (long)(x.stx_mtime.tv_sec * 1000000000 + x.stx_mtime.tv_nsec) : -errno;
}

static void show(const char* path) {
  int fd = open(path, O_RDONLY), name = open(path, O_PATH), dir = open(".", O_RDONLY | O_DIRECTORY);
#ifdef SYS_stat
  say("stat", shown(syscall(SYS_stat, path, &s), &s)), say("lstat", shown(syscall(SYS_lstat, path, &s), &s));
#endif
  say("fstat", shown(syscall(SYS_fstat, fd, &s), &s)), say("fstatOfPath", shown(syscall(SYS_fstat, name, &s), &s));
  say("fstatat", shown(syscall(SYS_newfstatat, AT_FDCWD, path, &s, 0), &s));
  say("fstatatDir", shown(syscall(SYS_newfstatat, dir, path, &s, AT_SYMLINK_NOFOLLOW), &s));
  say("fstatatEmpty", shown(syscall(SYS_newfstatat, fd, "", &s, AT_EMPTY_PATH), &s));
  say("statx", statxOf(AT_FDCWD, path, 0)), say("statxDir", statxOf(dir, path, AT_SYMLINK_NOFOLLOW));
  say("statxEmpty", statxOf(fd, "", AT_EMPTY_PATH)), say("statxForce", statxOf(AT_FDCWD, path, AT_STATX_FORCE_SYNC));
  char own[64];
  snprintf(own, sizeof own, "/proc/self/fd/%d", fd);
  say("ownLink", shown(stat(own, &s), &s));
}

static void shows(const char* name, long result) { say(name, result == -1 ? -errno : shown(stat("mine", &s), &s)); }

static void set(void) {
  int fd = open("mine", O_RDONLY);
  struct timespec t[2] = {{1000000000, 1}, {1100000000, 123456789}};
  struct timeval v[2] = {{1000000000, 1}, {1200000000, 123456}};
  shows("utimensat", utimensat(AT_FDCWD, "mine", t, 0));
  t[1].tv_sec++, shows("link", utimensat(AT_FDCWD, "link", t, 0));
  say("linkItself", code(utimensat(AT_FDCWD, "link", t, AT_SYMLINK_NOFOLLOW))), say("linkShows", shown(lstat("link", &s), &s));
  t[1].tv_sec++, shows("futimens", syscall(SYS_utimensat, fd, 0, t, 0));
  t[1].tv_sec++, shows("empty", syscall(SYS_utimensat, fd, "", t, AT_EMPTY_PATH));
#ifdef SYS_utimes
  struct utimbuf u = {1000000000, 1300000000};
  shows("utimes", syscall(SYS_utimes, "mine", v)), shows("utime", syscall(SYS_utime, "mine", &u));
  v[1].tv_sec++, shows("futimesat", syscall(SYS_futimesat, AT_FDCWD, "mine", v));
  v[1].tv_sec++, shows("futimesatOf", syscall(SYS_futimesat, fd, 0, v));
#endif
  t[1].tv_nsec = UTIME_OMIT, shows("omit", utimensat(AT_FDCWD, "mine", t, 0));
  say("access", ns(s.st_atim));
  t[0].tv_nsec = UTIME_OMIT, shows("omitBoth", utimensat(AT_FDCWD, "absent", t, 0));
  struct timespec before, after;
  clock_gettime(CLOCK_REALTIME, &before);
  t[1].tv_nsec = UTIME_NOW, say("now", code(utimensat(AT_FDCWD, "mine", t, 0))), stat("mine", &s);
  clock_gettime(CLOCK_REALTIME, &after);
  say("nowIsNow", ns(s.st_mtim) >= ns(before) - 20000000 && ns(s.st_mtim) <= ns(after));
  say("null", code(utimensat(AT_FDCWD, "mine", 0, 0))), stat("mine", &s);
  say("nullIsNow", ns(s.st_mtim) >= ns(before) - 20000000 && ns(s.st_atim) >= ns(before) - 20000000);
}

static void errors(void) {
  int fd = open("mine", O_RDONLY), name = open("mine", O_PATH);
  struct timespec t[2] = {{1, 0}, {1, 0}}, bad[2] = {{1, 1000000000}, {1, 0}};
  struct timeval badV[2] = {{1, 1000000}, {1, 0}};
  char longName[5000];
  memset(longName, 'a', sizeof longName), longName[4999] = 0;
  const char* paths[] = {"", "absent", "absent/x", "mine/", "mine/x", "loop", "loop/", "link/", "directory/../absent", longName, longName + 4999 - 300, (char*)8};
  for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) {
    printf("path%u ", i), say("fstatat", code(syscall(SYS_newfstatat, AT_FDCWD, paths[i], &s, 0)));
    printf("path%u ", i), say("statx", code(syscall(SYS_statx, AT_FDCWD, paths[i], 0, STATX_BASIC_STATS, &x)));
    printf("path%u ", i), say("utimensat", code(syscall(SYS_utimensat, AT_FDCWD, paths[i], t, 0)));
  }
  say("fstatBadFd", code(syscall(SYS_fstat, 999, &s))), say("fstatCwd", code(syscall(SYS_fstat, AT_FDCWD, &s)));
  say("fstatatBadDir", code(syscall(SYS_newfstatat, 999, "mine", &s, 0))), say("fstatatFileDir", code(syscall(SYS_newfstatat, fd, "mine", &s, 0)));
  say("fstatatAbsolute", code(syscall(SYS_newfstatat, 999, "/", &s, 0))), say("fstatatBadFlags", code(syscall(SYS_newfstatat, AT_FDCWD, "mine", &s, 1)));
  say("fstatBadTo", code(syscall(SYS_fstat, fd, 8))), say("statxBadTo", code(syscall(SYS_statx, AT_FDCWD, "mine", 0, 0, 8)));
  say("statxBadFlags", code(syscall(SYS_statx, AT_FDCWD, "mine", 1, 0, &x))), say("statxBadMask", code(syscall(SYS_statx, AT_FDCWD, "mine", 0, 0x80000000, &x)));
  say("statxBothSyncs", code(syscall(SYS_statx, AT_FDCWD, "mine", 0x6000, 0, &x)));
  say("utimensatBadTimes", code(syscall(SYS_utimensat, AT_FDCWD, "mine", 8, 0))), say("utimensatInvalid", code(syscall(SYS_utimensat, AT_FDCWD, "mine", bad, 0)));
  say("utimensatBadFlags", code(syscall(SYS_utimensat, AT_FDCWD, "mine", t, 1))), say("utimensatNull", code(syscall(SYS_utimensat, AT_FDCWD, 0, t, 0)));
  say("futimensFlags", code(syscall(SYS_utimensat, fd, 0, t, AT_SYMLINK_NOFOLLOW))), say("futimensBadFd", code(syscall(SYS_utimensat, 999, 0, t, 0)));
  say("futimensOfPath", code(syscall(SYS_utimensat, name, 0, t, 0)));
#ifdef SYS_utimes
  say("utimesInvalid", code(syscall(SYS_utimes, "mine", badV))), say("utimesBadTimes", code(syscall(SYS_utimes, "mine", 8)));
  say("utimeBadTimes", code(syscall(SYS_utime, "mine", 8))), say("statNull", code(syscall(SYS_stat, 0, &s)));
  say("futimesatBadFd", code(syscall(SYS_futimesat, 999, 0, 0)));
#endif
}

int main(int argc, char** argv) {
  if (argc > 2 && strcmp(argv[1], "show") == 0) show(argv[2]);
  else if (argc > 1 && strcmp(argv[1], "set") == 0) set();
  else if (argc > 1 && strcmp(argv[1], "errors") == 0) errors();
  else for (int i = 2; i < argc; i++) {
    struct timespec t[2] = {{1000000000, 0}, {1000000000, 0}};
    say("stat", code(stat(argv[i], &s))), say("set", code(utimensat(AT_FDCWD, argv[i], t, 0))), say("now", code(utimensat(AT_FDCWD, argv[i], 0, 0)));
  }
  return 0;
}

/*
 * Tree: signals to descendants, and to nothing else.
 *
 * The guard may run as root, so a wrong number here would kill a stranger. /proc only proposes numbers: it may be of
 * another pid namespace, and a read of it may end anywhere. That a number is a direct child is for waitid(2) to
 * say, and then it is safe to signal: only the guard can reap it, so no other process can take the number. Killing
 * uses direct children alone; each death makes the next layer direct, because the guard is the subreaper. Deeper
 * processes are signalled through a pidfd whose process was seen to be the child of a process that was still there.
 * proc_tid_children(5), pidfd_open(2), PR_SET_CHILD_SUBREAPER in prctl(2).
 */
#include <linux/fcntl.h>

#include "../raw.h"
#include "guard.h"
#include "kernel.h"

/* A walk takes three descriptors and some 1.5 kB of the stack for each generation. */
#define DEEPEST 255
#define ENTRY_BYTES 512

typedef void (*child_visitor)(struct visit *v, int child, int parent);

/* Fields 3, 4, 14, 16 and 17 of /proc/pid/stat, behind the name, which may hold anything; -1 if there is no such process. */
int tree_stat(int pid, struct tree_stat *stat) {
  char path[48], line[512];
  text_append(text_decimal(text_append(path, "/proc/"), pid), "/stat");
  int length = text_read_file(path, line, sizeof line);
  if (length <= 0) return -1;
  int at = length;
  while (at > 0 && line[at] != ')') at--;
  if (!at || at + 4 >= length) return -1;
  stat->state = line[at + 2];
  int64_t fields[18] = {0}; /* from field 4, the number behind the blank that ends field 3 */
  const char *s = line + at + 3;
  for (int field = 4; field < 18 && *s == ' '; field++) {
    int negative = *++s == '-';
    if (negative) s++;
    for (; *s >= '0' && *s <= '9'; s++) fields[field] = fields[field] * 10 + (*s - '0');
    if (negative) fields[field] = -fields[field];
  }
  stat->parent = (int)fields[4];
  stat->user = fields[14];
  stat->children_user = fields[16];
  stat->children_system = fields[17];
  return 0;
}

static int parent_of(int pid) {
  struct tree_stat stat;
  return tree_stat(pid, &stat) < 0 ? -1 : stat.parent;
}

/* Whether it is the guard's own child and was not reaped, which nobody else can do: ECHILD otherwise. */
static int is_own_child(int pid) {
  int info[32] = {0}; /* siginfo_t */
  return raw(__NR_waitid, K_P_PID, pid, info, K_WNOHANG | K_WEXITED | K_WNOWAIT | K_WALL, 0) == 0;
}

/* Calls visit for each entry of a /proc directory that is a number. Returns 0, or -errno. */
static int each_entry(const char *directory, struct visit *v, int parent, child_visitor visit) {
  char buffer[ENTRY_BYTES];
  long fd = raw(__NR_openat, AT_FDCWD, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0), n;
  if (fd < 0) return (int)fd;
  while ((n = raw(__NR_getdents64, fd, buffer, sizeof buffer)) > 0)
    for (long at = 0; at < n;) {
      struct k_dirent64 *entry = (struct k_dirent64 *)(buffer + at);
      int number = text_number(entry->name);
      if (number > 0) visit(v, number, parent);
      at += entry->reclen;
    }
  raw(__NR_close, fd);
  return 0;
}

static int children_listed = -1; /* whether /proc/pid/task/tid/children exists: CONFIG_PROC_CHILDREN */
static child_visitor visit_child;

#ifndef LIST_BYTES
#define LIST_BYTES 512 /* at a time */
#endif

/* One thread's children: numbers with a blank behind each, however a read cuts the list up. */
static void thread_children(struct visit *v, int tid, int pid) {
  char path[64], list[LIST_BYTES];
  char *end = text_decimal(text_append(path, "/proc/"), pid);
  text_append(text_decimal(text_append(end, "/task/"), tid), "/children");
  long fd = raw(__NR_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0), n;
  if (fd < 0) return;
  int number = 0;
  while ((n = raw(__NR_read, fd, list, sizeof list)) > 0)
    for (long at = 0; at < n; at++) {
      if (list[at] >= '0' && list[at] <= '9') {
        number = number * 10 + (list[at] - '0');
      } else {
        if (number > 1) visit_child(v, number, pid);
        number = 0;
      }
    }
  raw(__NR_close, fd);
}

static void if_child(struct visit *v, int pid, int parent) {
  if (parent_of(pid) == parent) visit_child(v, pid, parent);
}

static void each_child(struct visit *v, int pid, child_visitor visit) {
  char path[64], list[8];
  child_visitor outer = visit_child;
  if (children_listed < 0) {
    char *end = text_decimal(text_append(path, "/proc/"), v->guard->self);
    text_append(text_decimal(text_append(end, "/task/"), v->guard->self), "/children");
    children_listed = text_read_file(path, list, sizeof list) >= 0;
  }
  visit_child = visit;
  if (children_listed) {
    text_append(text_decimal(text_append(path, "/proc/"), pid), "/task");
    each_entry(path, v, pid, thread_children);
  } else {
    each_entry("/proc", v, pid, if_child);
  }
  visit_child = outer;
}

static void kill_child(struct visit *v, int child, int parent) {
  if (parent != v->guard->self || !is_own_child(child)) return;
  if (raw(__NR_kill, child, K_SIGKILL) == 0) v->signalled++;
}

void tree_kill(struct guard *g) {
  struct visit v = {.guard = g};
  /* The target itself is a direct child from the start, whatever /proc says. */
  if (g->pid) raw(__NR_kill, g->pid, K_SIGKILL);
  each_child(&v, g->self, kill_child);
}

static void walk_below(struct visit *v, int child, int parent) {
  int too_deep = v->depth > DEEPEST;
  if ((too_deep && !v->ends_deeper) || (v->depth == 0 && !is_own_child(child))) return;
  long pidfd = raw(__NR_pidfd_open, child, 0);
  if (pidfd < 0) return;
  /* The pidfd is of whoever has the number now. It is a descendant if its parent is the one we came from, and
     that one still exists after the question: its own pidfd is held by the caller of this call. */
  if (parent_of(child) == parent && raw(__NR_pidfd_send_signal, pidfd, 0, 0, 0) == 0) {
    if (too_deep) {
      raw(__NR_pidfd_send_signal, pidfd, K_SIGKILL, 0, 0);
      raw(__NR_close, pidfd);
      return;
    }
    if (!v->children_first) v->signalled += v->act(v, child, (int)pidfd);
    v->depth++;
    each_child(v, child, walk_below);
    v->depth--;
    if (v->children_first) v->signalled += v->act(v, child, (int)pidfd);
  }
  raw(__NR_close, pidfd);
}

void tree_walk(struct visit *v) { each_child(v, v->guard->self, walk_below); }

static int send_signal(struct visit *v, int pid, int pidfd) {
  (void)pid;
  return raw(__NR_pidfd_send_signal, pidfd, v->sig, 0, 0) == 0;
}

/* Repeats until a pass meets no process more than the last, so that one born meanwhile is met as well. Whoever waits
   for a child that stops is stopped before it, and continued after it. */
void tree_signal(struct guard *g, int sig) {
  int before = -1;
  for (int pass = 0; pass < 32; pass++) {
    struct visit v = {.guard = g, .act = send_signal, .sig = sig, .children_first = sig == K_SIGCONT};
    tree_walk(&v);
    if (v.signalled == before) return;
    before = v.signalled;
  }
}

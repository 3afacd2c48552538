/*
 * Control group: the one that the supervisor made for this run, if it did.
 *
 * The target goes in before anything else, so all of what descends from it is in there, however it came about. By way of the
 * group the kernel ends everybody in it at once, which no fork outruns. Whoever made it removes it; the guard does so in
 * the place of a supervisor that is gone.
 * Documentation/admin-guide/cgroup-v2.rst, "Core Interface Files"
 */
#include <linux/capability.h>
#include <linux/fcntl.h>

#include "../raw.h"
#include "guard.h"
#include "kernel.h"

static const char *directory(const struct guard *g) {
  return g->plan && g->plan->cgroup_offset ? (const char *)g->plan + g->plan->cgroup_offset : 0;
}

/* Opened before the guard gives up its capabilities: the kernel judges a write to these by whoever opened the file. */
static int open_file(struct guard *g, const char *name) {
  char path[4096];
  if (text_length(directory(g)) + text_length(name) + 2 > sizeof path) return -K_ENAMETOOLONG;
  text_append(text_append(text_append(path, directory(g)), "/"), name);
  return guard_above(g, raw(__NR_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0));
}

int cgroup_open(struct guard *g) {
  if (!directory(g)) return 0;
  g->cgroup_procs = open_file(g, "cgroup.procs");
  if (g->cgroup_procs < 0) return g->cgroup_procs;
  g->cgroup_kill = open_file(g, "cgroup.kill");
  return g->cgroup_kill == -K_ENOENT || g->cgroup_kill >= 0 ? 0 : g->cgroup_kill; /* before Linux 5.14 there is none */
}

/* To remove one whose parent is somebody else's, or the root one, which nobody may write to. */
uint64_t cgroup_capability(const struct guard *g) { return directory(g) ? 1ull << CAP_DAC_OVERRIDE : 0; }

/* By the target itself: 0 is whoever writes. */
int cgroup_enter(struct guard *g) {
  char adjustment[16];
  if (g->cgroup_procs < 0) return 0;
  long result = raw(__NR_write, g->cgroup_procs, "0", 1);
  if (result < 0) return (int)result;
  /* A service that the kernel is not to end when memory is short passes that on. In a group with a limit there would then be
     nobody to end, and whoever meets the limit would try again for ever. */
  result = text_read_file("/proc/self/oom_score_adj", adjustment, sizeof adjustment);
  return result > 0 && adjustment[0] == '-' ? guard_write_file("/proc/self/oom_score_adj", "0") : (int)result;
}

void cgroup_kill(struct guard *g) {
  if (g->cgroup_kill >= 0) raw(__NR_write, g->cgroup_kill, "1", 1);
}

/* Called once there are no descendants. Somebody else's process in it keeps it; so does one that is still on its way out. */
void cgroup_remove(struct guard *g) {
  struct k_timespec moment = {0, 10 * 1000 * 1000};
  if (!directory(g) || !guard_is_orphaned(g)) return;
  for (int turn = 0; turn < 200 && raw(__NR_unlinkat, AT_FDCWD, directory(g), AT_REMOVEDIR) == -K_EBUSY; turn++)
    raw(__NR_nanosleep, &moment, 0);
}

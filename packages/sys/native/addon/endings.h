/*
 * Endings: ends of processes that wait for a moment in which their parent can hear of them.
 *
 * A call whose notification is not received yet is taken back by any signal with a handler, and fails with EINTR where that is
 * without SA_RESTART; also open(2) and fork(2), which never do otherwise. Where a process has such a handler for SIGCHLD, which
 * every script of dash has, the signal is its child's last act, and exit_group(2) is notified as well: so the end of a
 * child waits while its parent may be on its way into a call. It goes on once a call of the parent is received, which nothing
 * but a fatal signal takes back, or when the parent sleeps, and after some milliseconds in any case.
 * kernel/seccomp.c, seccomp_do_user_notification(), should_sleep_killable()
 */
#ifndef SANDLOCK_ENDINGS_H
#define SANDLOCK_ENDINGS_H

#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/types.h>

#include <vector>

namespace sandlock {

class Endings {
 public:
  struct Ending {
    seccomp_notif notification;
    pid_t process, parent;
    int64_t since_us;
  };

  // Whether this is the end of a process, and has to wait. Takes a copy then.
  bool Postpone(int listener, const seccomp_notif& notification);
  // Takes out those that this thread would hear of.
  std::vector<Ending> TakeChildrenOf(pid_t thread);
  // Takes out those that need not wait any longer.
  std::vector<Ending> TakeDue(int listener);
  bool IsEmpty() const { return endings_.empty(); }
  void Clear() { endings_.clear(); }

 private:
  std::vector<Ending> endings_;
};

// Processes whose ends are awaited; their exit_group is to be answered between Add() and Await().
class AwaitedEnds {
 public:
  AwaitedEnds() = default;
  AwaitedEnds(const AwaitedEnds&) = delete;
  ~AwaitedEnds();
  void Add(pid_t process);
  // Sleeps until all have ended, or for some milliseconds.
  void Await() const;

 private:
  std::vector<int> pidfds_;
};

}  // namespace sandlock

#endif

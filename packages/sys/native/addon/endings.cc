#include "endings.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "now.h"

namespace sandlock {

// How long a parent that computes may hold up a child, and children that take long to be taken apart everybody; how many may wait.
constexpr int64_t kPatienceUs = 50000, kAwaitUs = 20000;
constexpr size_t kMost = 64;

// proc_pid_status(5)
struct Status {
  char state;
  pid_t process, parent;
  uint64_t caught;
};

static bool ReadStatus(pid_t pid, Status& status) {
  char path[32], text[8192];
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  if (length <= 0) return false;
  text[length] = 0;
  // The name of the program is the first line, with newlines escaped: nobody else begins one.
  auto value = [&](const char* key) {
    const char* at = strstr(text, key);
    return at ? at + strlen(key) : nullptr;
  };
  const char *state = value("\nState:\t"), *process = value("\nTgid:\t"), *parent = value("\nPPid:\t"), *caught = value("\nSigCgt:\t");
  if (!state || !process || !parent || !caught) return false;
  status = {*state, atoi(process), atoi(parent), strtoull(caught, nullptr, 16)};
  return true;
}

// include/uapi/linux/pidfd.h, struct pidfd_info, in its first version
struct PidfdInfo {
  uint64_t mask, cgroup;
  uint32_t pid, process, parent, ids[8];
  int32_t exit_code;
};
constexpr unsigned long kGetInfo = _IOWR(0xff, 11, PidfdInfo);
constexpr uint64_t kInfoOfPid = 1;

// Which process a thread is of, and whose child that is. Status says so too, and takes several times as long.
static bool ReadParent(pid_t thread, pid_t& process, pid_t& parent) {
  PidfdInfo info = {};
  info.mask = kInfoOfPid;
  int pidfd = static_cast<int>(syscall(SYS_pidfd_open, thread, 0));  // of the first thread alone
  bool told = pidfd >= 0 && ioctl(pidfd, kGetInfo, &info) == 0 && (info.mask & kInfoOfPid);  // Linux 6.13
  if (pidfd >= 0) close(pidfd);
  Status status;
  if (!told && !ReadStatus(thread, status)) return false;
  process = told ? static_cast<pid_t>(info.process) : status.process;
  parent = told ? static_cast<pid_t>(info.parent) : status.parent;
  return true;
}

// Whether the end of this child could find its parent on the way into a call that nobody has received. A sleeping one is either in
// another call or among those that wait at the listener; and one in vfork(2) gets no further while the child has its memory.
static bool IsOnItsWay(int listener, pid_t child, pid_t parent) {
  Status status;
  if (!ReadStatus(parent, status) || !(status.caught >> (SIGCHLD - 1) & 1)) return false;
  if (status.state == 'D') return syscall(SYS_kcmp, child, parent, KCMP_VM, 0, 0) != 0;
  if (status.state == 'R') return true;
  pollfd waiting = {listener, POLLIN, 0};
  return status.state == 'S' && poll(&waiting, 1, 0) > 0 && (waiting.revents & POLLIN);
}

bool Endings::Postpone(int listener, const seccomp_notif& notification) {
  if (notification.data.nr != SYS_exit_group || endings_.size() >= kMost) return false;
  pid_t process, parent;
  if (!ReadParent(static_cast<pid_t>(notification.pid), process, parent) || !IsOnItsWay(listener, process, parent)) return false;
  endings_.push_back({notification, process, parent, NowUs()});
  return true;
}

std::vector<Endings::Ending> Endings::TakeChildrenOf(pid_t thread) {
  std::vector<Ending> taken;
  auto others = std::stable_partition(endings_.begin(), endings_.end(), [&](const Ending& each) { return each.parent != thread; });
  taken.assign(others, endings_.end());
  endings_.erase(others, endings_.end());
  return taken;
}

std::vector<Endings::Ending> Endings::TakeDue(int listener) {
  std::vector<Ending> taken, left;
  int64_t now_us = NowUs();
  // Of children of one parent, who come together, one is asked about.
  pid_t parent = 0;
  bool is_on_its_way = false;
  for (const Ending& each : endings_) {
    if (each.parent != parent) is_on_its_way = IsOnItsWay(listener, each.process, parent = each.parent);
    (is_on_its_way && now_us - each.since_us < kPatienceUs ? left : taken).push_back(each);
  }
  endings_.swap(left);
  return taken;
}

AwaitedEnds::~AwaitedEnds() {
  for (int pidfd : pidfds_) close(pidfd);
}

void AwaitedEnds::Add(pid_t process) {
  int pidfd = static_cast<int>(syscall(SYS_pidfd_open, process, 0));
  if (pidfd >= 0) pidfds_.push_back(pidfd);
}

void AwaitedEnds::Await() const {
  int64_t until_us = NowUs() + kAwaitUs;
  for (int pidfd : pidfds_) {
    pollfd ended = {pidfd, POLLIN, 0};
    poll(&ended, 1, static_cast<int>(std::max<int64_t>(0, until_us - NowUs()) / 1000));
  }
}

}  // namespace sandlock

/*
 * Landlock on every thread of this process.
 *
 * Before ABI 8 landlock_restrict_self(2) confines its calling thread alone, and a Node process has a dozen others.
 * So each is made to call it, from a handler for a signal that none of them can have blocked: the one that the C
 * library reserves for the same purpose, setuid(2) on all threads. glibc and musl leave it out of every mask.
 * nptl(7), "Signals".
 */
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <set>
#include <string>

#include "../raw.h"
#include "result.h"

#ifndef __NR_landlock_restrict_self
#define __NR_landlock_restrict_self 446
#endif

namespace sandlock {

static std::mutex gTurn;  // one at a time, whichever worker asks
static std::atomic<int> gRuleset;
static std::atomic<unsigned> gFlags;
static std::atomic<int> gDone, gErrno;

#ifdef __GLIBC__
static const int kSignal = 33;  // SIGSETXID
#else
static const int kSignal = 34;  // SIGSYNCCALL
#endif

struct KernelSigaction {
  void (*handler)(int);
  unsigned long flags;
#if defined(__x86_64__)
  void (*restorer)();
#endif
  uint64_t mask;
};

#if defined(__x86_64__)
extern "C" void sandlock_restorer();
__asm__(".text\n.type sandlock_restorer,@function\nsandlock_restorer:\n mov $15, %eax\n syscall\n");
#endif

static void Restrict(int) {
  long rc = raw(__NR_prctl, 38 /* PR_SET_NO_NEW_PRIVS */, 1, 0, 0, 0);
  if (rc >= 0) rc = raw(__NR_landlock_restrict_self, gRuleset.load(), gFlags.load());
  if (rc < 0) gErrno.store(static_cast<int>(-rc));
  gDone.fetch_add(1);
}

static std::set<int> Threads() {
  std::set<int> tids;
  if (DIR* directory = opendir("/proc/self/task")) {
    while (dirent* entry = readdir(directory))
      if (int tid = atoi(entry->d_name)) tids.insert(tid);
    closedir(directory);
  }
  return tids;
}

static bool WaitFor(int done, int tid) {
  for (int turn = 0; turn < 20000; turn++) {
    if (gDone.load() >= done) return true;
    if (turn % 100 == 99 && raw(__NR_tgkill, getpid(), tid, 0) == -ESRCH) return true;  // it ended instead
    timespec moment = {0, 100000};
    nanosleep(&moment, nullptr);
  }
  return false;
}

// (rulesetFd, flags) -> number of threads confined, or -errno. Partly done cannot be undone.
static Napi::Value RestrictAllThreads(const Napi::CallbackInfo& info) {
  std::lock_guard<std::mutex> turn(gTurn);
  gRuleset = Int(info[0]);
  gFlags = Uint(info[1]);
  gErrno = 0;
  gDone = 0;
  KernelSigaction action = {}, before = {};
  action.handler = Restrict;
  action.flags = SA_RESTART;
#if defined(__x86_64__)
  action.flags |= 0x04000000;  // SA_RESTORER
  action.restorer = sandlock_restorer;
#endif
  long rc = raw(__NR_rt_sigaction, kSignal, &action, &before, 8);
  if (rc < 0) return Napi::Number::New(info.Env(), static_cast<double>(rc));

  int self = static_cast<int>(raw(__NR_gettid)), error = 0;
  std::set<int> confined;
  // Until a pass meets no new thread: one born meanwhile from a thread not yet confined is met in the next.
  for (bool found = true; found && !error;) {
    found = false;
    std::set<int> threads = Threads();
    if (threads.empty()) error = ENOENT;  // no /proc: the other threads cannot be found
    for (int tid : threads) {
      if (tid == self || error || !confined.insert(tid).second) continue;
      found = true;
      int expected = gDone.load() + 1;
      rc = raw(__NR_tgkill, getpid(), tid, kSignal);
      if (rc == -ESRCH) continue;
      if (rc < 0) error = static_cast<int>(-rc);
      else if (!WaitFor(expected, tid)) error = ETIMEDOUT;
      else if (gErrno.load()) error = gErrno.load();
    }
  }
  raw(__NR_rt_sigaction, kSignal, &before, nullptr, 8);
  if (!error) {
    Restrict(0);
    error = gErrno.load();
  }
  return Napi::Number::New(info.Env(), error ? -error : static_cast<int>(confined.size()) + 1);
}

void InitThreads(Napi::Env env, Napi::Object exports) { BIND("landlockRestrictAllThreads", RestrictAllThreads); }

}  // namespace sandlock

/*
 * Processes: pidfds, signals, groups, limits, address spaces, processors.
 */
#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iterator>

#include "result.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

namespace sandlock {

static Napi::Value PidfdOpen(const Napi::CallbackInfo& info) {
  return Result(info.Env(), syscall(SYS_pidfd_open, Int(info[0]), Uint(info[1])));
}

static Napi::Value PidfdGetfd(const Napi::CallbackInfo& info) {
  return Result(info.Env(), syscall(SYS_pidfd_getfd, Int(info[0]), Int(info[1]), Uint(info[2])));
}

static Napi::Value PidfdSendSignal(const Napi::CallbackInfo& info) {
  return Result(info.Env(), syscall(SYS_pidfd_send_signal, Int(info[0]), Int(info[1]), nullptr, 0));
}

static Napi::Value Kill(const Napi::CallbackInfo& info) {
  return Result(info.Env(), kill(Int(info[0]), Int(info[1])));
}

static Napi::Value Getpgid(const Napi::CallbackInfo& info) { return Result(info.Env(), getpgid(Int(info[0]))); }

// 1: reaped; 0: still running. Never sleeps, and never takes another child than this one.
static Napi::Value ReapPidfd(const Napi::CallbackInfo& info) {
  siginfo_t child;
  memset(&child, 0, sizeof child);
  int rc = waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(Int(info[0])), &child, WEXITED | WNOHANG);
  return rc < 0 ? Result(info.Env(), rc) : Napi::Number::New(info.Env(), child.si_pid != 0);
}

// The struct utsname of this kernel, as the bytes that uname(2) would write.
static Napi::Value Uname(const Napi::CallbackInfo& info) {
  Bytes buffer = BytesOf(info[0]);
  if (buffer.length < sizeof(utsname)) return Napi::Number::New(info.Env(), -EINVAL);
  return Result(info.Env(), uname(reinterpret_cast<utsname*>(buffer.data)));
}

// [uptime in seconds, total memory, free memory], in bytes.
static Napi::Value Sysinfo(const Napi::CallbackInfo& info) {
  struct sysinfo now;
  int rc = sysinfo(&now);
  if (rc < 0) return Result(info.Env(), rc);
  double values[] = {static_cast<double>(now.uptime), static_cast<double>(now.totalram) * now.mem_unit, static_cast<double>(now.freeram) * now.mem_unit};
  auto array = Napi::Array::New(info.Env(), std::size(values));
  for (uint32_t i = 0; i < std::size(values); i++) array.Set(i, values[i]);
  return array;
}

// 0: both have the same address space.
static Napi::Value KcmpVm(const Napi::CallbackInfo& info) {
  return Result(info.Env(), syscall(SYS_kcmp, Int(info[0]), Int(info[1]), KCMP_VM, 0, 0));
}

// The raw calls: the kernel's length comes back, and no mask is padded on the way.
static Napi::Value SchedGetaffinity(const Napi::CallbackInfo& info) {
  Bytes mask = BytesOf(info[1]);
  return Result(info.Env(), syscall(SYS_sched_getaffinity, Int(info[0]), mask.length, mask.data));
}

static Napi::Value SchedSetaffinity(const Napi::CallbackInfo& info) {
  Bytes mask = BytesOf(info[1]);
  return Result(info.Env(), syscall(SYS_sched_setaffinity, Int(info[0]), mask.length, mask.data));
}

// struct rlimit64, soft and hard. What the limits were goes into `old`; without `wanted` nothing is set.
static Napi::Value Prlimit(const Napi::CallbackInfo& info) {
  constexpr size_t kLimits = 2 * sizeof(uint64_t);
  Bytes wanted = info[2].IsNull() ? Bytes{nullptr, kLimits} : BytesOf(info[2]), old = BytesOf(info[3]);
  if (wanted.length < kLimits || old.length < kLimits) return Napi::Number::New(info.Env(), -EINVAL);
  return Result(info.Env(), syscall(SYS_prlimit64, Int(info[0]), Int(info[1]), wanted.data, old.data));
}

void InitProcess(Napi::Env env, Napi::Object exports) {
  BIND("pidfdOpen", PidfdOpen);
  BIND("pidfdGetfd", PidfdGetfd);
  BIND("pidfdSendSignal", PidfdSendSignal);
  BIND("kill", Kill);
  BIND("getpgid", Getpgid);
  BIND("reapPidfd", ReapPidfd);
  BIND("sysinfo", Sysinfo);
  BIND("uname", Uname);
  BIND("kcmpVm", KcmpVm);
  BIND("schedGetaffinity", SchedGetaffinity);
  BIND("schedSetaffinity", SchedSetaffinity);
  BIND("prlimit", Prlimit);
}

}  // namespace sandlock

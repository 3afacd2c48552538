/*
 * Processes: pidfds, signals, groups, limits.
 */
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

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

void InitProcess(Napi::Env env, Napi::Object exports) {
  BIND("pidfdOpen", PidfdOpen);
  BIND("pidfdGetfd", PidfdGetfd);
  BIND("pidfdSendSignal", PidfdSendSignal);
  BIND("kill", Kill);
  BIND("getpgid", Getpgid);
  BIND("reapPidfd", ReapPidfd);
  BIND("uname", Uname);
}

}  // namespace sandlock

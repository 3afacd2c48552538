/*
 * Credentials of the calling thread alone. The C library changes all threads at once; these are the system calls.
 */
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "result.h"

namespace sandlock {

// effective, permitted, inheritable, low halves first: the kernel's two records in a row.
static Napi::Value Capget(const Napi::CallbackInfo& info) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  auto out = info[0].As<Napi::Uint32Array>();
  if (out.ElementLength() < 6) return Napi::Number::New(info.Env(), -EINVAL);
  long rc = syscall(SYS_capget, &header, data);
  for (int i = 0; rc == 0 && i < 2; i++) {
    out[3 * i] = data[i].effective, out[3 * i + 1] = data[i].permitted, out[3 * i + 2] = data[i].inheritable;
  }
  return Result(info.Env(), rc);
}

static Napi::Value Capset(const Napi::CallbackInfo& info) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  auto in = info[0].As<Napi::Uint32Array>();
  if (in.ElementLength() < 6) return Napi::Number::New(info.Env(), -EINVAL);
  for (int i = 0; i < 2; i++) {
    data[i].effective = in[3 * i], data[i].permitted = in[3 * i + 1], data[i].inheritable = in[3 * i + 2];
  }
  return Result(info.Env(), syscall(SYS_capset, &header, data));
}

// The id before, whether or not it changed: the kernel reports no error here.
static Napi::Value Setfsuid(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(static_cast<unsigned>(syscall(SYS_setfsuid, Uint(info[0])))));
}

static Napi::Value Setfsgid(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(static_cast<unsigned>(syscall(SYS_setfsgid, Uint(info[0])))));
}

static Napi::Value Setgroups(const Napi::CallbackInfo& info) {
  auto groups = info[0].As<Napi::Uint32Array>();
  return Result(info.Env(), syscall(SYS_setgroups, groups.ElementLength(), groups.Data()));
}

void InitCredentials(Napi::Env env, Napi::Object exports) {
  BIND("capget", Capget);
  BIND("capset", Capset);
  BIND("setfsuid", Setfsuid);
  BIND("setfsgid", Setfsgid);
  BIND("setgroups", Setgroups);
}

}  // namespace sandlock

/*
 * seccomp(2) and the listener's requests, seccomp_unotify(2).
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "notif.h"
#include "result.h"

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif

namespace sandlock {

static void* AskForListener(void* result) {
  sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  sock_fprog program = {1, &allow};
  long rc = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (rc == 0) rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
  *static_cast<int*>(result) = rc < 0 ? -errno : 0;
  if (rc >= 0) close(static_cast<int>(rc));
  return nullptr;
}

// Whether a filter that this thread is under has a listener. One of its own asks for another and ends: filters are of threads.
static Napi::Value HasListener(const Napi::CallbackInfo& info) {
  pthread_t thread;
  int result = 0;
  int error = pthread_create(&thread, nullptr, AskForListener, &result);
  if (error != 0) return Napi::Number::New(info.Env(), -error);
  pthread_join(thread, nullptr);
  return Napi::Number::New(info.Env(), result == -EBUSY ? 1 : result);
}

// (listenerFd, buffer)
static Napi::Value NotifReceive(const Napi::CallbackInfo& info) {
  Bytes buffer = BytesOf(info[1]);
  if (buffer.length < sizeof(seccomp_notif)) return Napi::Number::New(info.Env(), -EINVAL);
  return Napi::Number::New(info.Env(), ReceiveIfAny(Int(info[0]), reinterpret_cast<seccomp_notif*>(buffer.data)));
}

static Napi::Value NotifSend(const Napi::CallbackInfo& info) {
  seccomp_notif_resp response = {};
  response.id = U64(info[1]);
  response.val = I64(info[2]);
  response.error = Int(info[3]);
  response.flags = Uint(info[4]);
  return Napi::Number::New(info.Env(), Send(Int(info[0]), response));
}

static Napi::Value NotifAddFd(const Napi::CallbackInfo& info) {
  seccomp_notif_addfd request = {};
  request.id = U64(info[1]);
  request.flags = Uint(info[2]);
  request.srcfd = Uint(info[3]);
  request.newfd = Uint(info[4]);
  request.newfd_flags = Uint(info[5]);
  return Result(info.Env(), ioctl(Int(info[0]), SECCOMP_IOCTL_NOTIF_ADDFD, &request));
}

static Napi::Value NotifIdValid(const Napi::CallbackInfo& info) {
  __u64 id = U64(info[1]);
  return Result(info.Env(), ioctl(Int(info[0]), SECCOMP_IOCTL_NOTIF_ID_VALID, &id));
}

// The flag word is the argument itself. kernel/seccomp.c, seccomp_notify_set_flags().
static Napi::Value NotifSetFlags(const Napi::CallbackInfo& info) {
  return Result(info.Env(), ioctl(Int(info[0]), SECCOMP_IOCTL_NOTIF_SET_FLAGS, static_cast<unsigned long>(U64(info[1]))));
}

// [seccomp_notif, seccomp_notif_resp, seccomp_data] in bytes, as this kernel has them.
static Napi::Value GetNotifSizes(const Napi::CallbackInfo& info) {
  seccomp_notif_sizes sizes = {};
  long rc = syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes);
  if (rc < 0) return Result(info.Env(), rc);
  auto array = Napi::Array::New(info.Env(), 3);
  array.Set(0u, sizes.seccomp_notif);
  array.Set(1u, sizes.seccomp_notif_resp);
  array.Set(2u, sizes.seccomp_data);
  return array;
}

static Napi::Value GetActionAvail(const Napi::CallbackInfo& info) {
  __u32 action = Uint(info[0]);
  return Result(info.Env(), syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
}

// For the calling thread, for good. The caller sets no_new_privs.
static Napi::Value SetModeFilter(const Napi::CallbackInfo& info) {
  Bytes program = BytesOf(info[1]);
  sock_fprog fprog = {static_cast<unsigned short>(program.length / sizeof(sock_filter)),
                      reinterpret_cast<sock_filter*>(program.data)};
  return Result(info.Env(), syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, Uint(info[0]), &fprog));
}

void InitSeccomp(Napi::Env env, Napi::Object exports) {
  BIND("seccompHasListener", HasListener);
  BIND("seccompNotifReceive", NotifReceive);
  BIND("seccompNotifSend", NotifSend);
  BIND("seccompNotifAddFd", NotifAddFd);
  BIND("seccompNotifIdValid", NotifIdValid);
  BIND("seccompNotifSetFlags", NotifSetFlags);
  BIND("seccompGetNotifSizes", GetNotifSizes);
  BIND("seccompGetActionAvail", GetActionAvail);
  BIND("seccompSetModeFilter", SetModeFilter);
}

}  // namespace sandlock

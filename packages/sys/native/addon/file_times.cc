/*
 * What a file tells, as the kernel lays it out, and the setting of its times: fstat(2), statx(2), utimensat(2).
 */
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "result.h"

namespace sandlock {

// sizeof(struct statx); C libraries before glibc 2.28 do not declare it.
static const size_t kStatxBytes = 256;

// (fd, to): a struct stat of the kernel, which on 64-bit architectures is that of the C library.
static Napi::Value Fstat(const Napi::CallbackInfo& info) {
  Bytes to = BytesOf(info[1]);
  if (to.length < sizeof(struct stat)) return Napi::Number::New(info.Env(), -EINVAL);
  return Result(info.Env(), syscall(SYS_fstat, Int(info[0]), to.data));
}

static Napi::Value Statx(const Napi::CallbackInfo& info) {
  Bytes to = BytesOf(info[4]);
  if (to.length < kStatxBytes) return Napi::Number::New(info.Env(), -EINVAL);
  return Result(info.Env(), syscall(SYS_statx, Int(info[0]), Path(info[1]), Uint(info[2]), Uint(info[3]), to.data));
}

// (dirfd, path, times, flags): two struct timespec as bytes, or null for now.
static Napi::Value Utimensat(const Napi::CallbackInfo& info) {
  const void* times = nullptr;
  if (!info[2].IsNull()) {
    Bytes from = BytesOf(info[2]);
    if (from.length < 2 * sizeof(timespec)) return Napi::Number::New(info.Env(), -EINVAL);
    times = from.data;
  }
  return Result(info.Env(), syscall(SYS_utimensat, Int(info[0]), Path(info[1]), times, Int(info[3])));
}

void InitFileTimes(Napi::Env env, Napi::Object exports) {
  BIND("fstat", Fstat);
  BIND("statx", Statx);
  BIND("utimensat", Utimensat);
}

}  // namespace sandlock

/*
 * Clocks, whole and without rounding: clock_gettime(2), timerfd_settime(2).
 */
#include <sys/timerfd.h>
#include <time.h>

#include "result.h"

namespace sandlock {

// Nanoseconds as a bigint, or -errno as a number: a clock may stand below zero, so the two must not share a type.
static Napi::Value ClockGettime(const Napi::CallbackInfo& info) {
  timespec now;
  if (clock_gettime(static_cast<clockid_t>(Int(info[0])), &now) != 0) return Result(info.Env(), -1);
  return Napi::BigInt::New(info.Env(), static_cast<int64_t>(now.tv_sec) * 1000000000 + now.tv_nsec);
}

// (fd, flags, new, old): the last two are a struct itimerspec each, as bytes.
static Napi::Value TimerfdSettime(const Napi::CallbackInfo& info) {
  Bytes set = BytesOf(info[2]), old = BytesOf(info[3]);
  if (set.length < sizeof(itimerspec) || old.length < sizeof(itimerspec)) return Napi::Number::New(info.Env(), -EINVAL);
  return Result(info.Env(), timerfd_settime(Int(info[0]), Int(info[1]), reinterpret_cast<itimerspec*>(set.data),
                                            reinterpret_cast<itimerspec*>(old.data)));
}

void InitClock(Napi::Env env, Napi::Object exports) {
  BIND("clockGettime", ClockGettime);
  BIND("timerfdSettime", TimerfdSettime);
}

}  // namespace sandlock

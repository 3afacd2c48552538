/*
 * Clocks: clock_gettime(2), whole and without rounding.
 */
#include <time.h>

#include "result.h"

namespace sandlock {

// Nanoseconds as a bigint, or -errno as a number: a clock may stand below zero, so the two must not share a type.
static Napi::Value ClockGettime(const Napi::CallbackInfo& info) {
  timespec now;
  if (clock_gettime(static_cast<clockid_t>(Int(info[0])), &now) != 0) return Result(info.Env(), -1);
  return Napi::BigInt::New(info.Env(), static_cast<int64_t>(now.tv_sec) * 1000000000 + now.tv_nsec);
}

void InitClock(Napi::Env env, Napi::Object exports) { BIND("clockGettime", ClockGettime); }

}  // namespace sandlock

/*
 * The time that passes, for waits with an end of their own. clock_gettime(2)
 */
#ifndef SANDLOCK_NOW_H
#define SANDLOCK_NOW_H

#include <stdint.h>
#include <time.h>

namespace sandlock {

inline int64_t NowUs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

}  // namespace sandlock

#endif

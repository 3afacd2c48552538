/*
 * A vDSO that shows what its clocks are asked: clock n stands at 1000 + n seconds and as many nanoseconds as there can be.
 * PREFIX is the architecture's: __vdso_ or __kernel_; FIRST an instruction that a function may begin with.
 */
struct time { long seconds, fraction; };

#define JOINED(a, b) a##b
#define NAME(prefix, name) JOINED(prefix, name)

int NAME(PREFIX, clock_gettime)(int clock, struct time* to) {
  __asm__ volatile(FIRST);
  if (clock > 64) return -22;
  to->seconds = 1000 + clock;
  to->fraction = 999999999;
  return 0;
}

int NAME(PREFIX, gettimeofday)(struct time* to, int* zone) {
  __asm__ volatile(FIRST);
  if (zone != 0 && zone[0] < 0) return -14;
  if (zone != 0) zone[0] = 7;
  if (to != 0) to->seconds = 1000, to->fraction = 999999;
  return 0;
}

long NAME(PREFIX, time)(long* to) {
  if (to != 0) *to = 77;
  return 77;
}

long NAME(PREFIX, getrandom)(void* to, unsigned long length) {
  (void)to;
  return (long)length;
}

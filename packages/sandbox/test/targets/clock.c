/* The seconds since 1970, by four ways to ask: of the vDSO and of the kernel. */
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int main(void) {
  struct timespec now, raw;
  struct timeval day;
  clock_gettime(CLOCK_REALTIME, &now);
  gettimeofday(&day, 0);
  syscall(SYS_clock_gettime, CLOCK_REALTIME, &raw);
  printf("%ld %ld %ld %ld\n", (long)now.tv_sec, (long)day.tv_sec, (long)time(0), (long)raw.tv_sec);
  return 0;
}

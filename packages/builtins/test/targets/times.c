/*
 * times: what every clock shows, and how long waits for a time of day take, as one object of JSON. Seconds of calendar clocks,
 * milliseconds of CLOCK_MONOTONIC, negative errnos.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <mqueue.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static const char* comma = "{";
static void say(const char* name, long value) { printf("%s\"%s\": %ld", comma, name, value), comma = ",\n "; }

static long shown(int clock) {
  struct timespec now;
  return clock_gettime(clock, &now) == 0 ? now.tv_sec : -errno;
}
static long raw(int clock) {
  struct timespec now;
  return syscall(SYS_clock_gettime, clock, &now) == 0 ? now.tv_sec : -errno;
}

static struct timespec from, deadline;
/* 60 ms from now, by the calendar. */
static void begin(void) {
  clock_gettime(CLOCK_REALTIME, &deadline);
  deadline.tv_nsec += 60000000;
  if (deadline.tv_nsec >= 1000000000) deadline.tv_sec++, deadline.tv_nsec -= 1000000000;
  clock_gettime(CLOCK_MONOTONIC, &from);
}
/* How long it took, if the wait ended as it should and left the deadline as it was. */
static void end(const char* name, long result, long expected, struct timespec given) {
  struct timespec to;
  clock_gettime(CLOCK_MONOTONIC, &to);
  usleep(20000); /* what was lent is back by now */
  long ms = (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
  if (memcmp(&given, &deadline, sizeof given) != 0) ms = -1000;
  say(name, result == expected ? ms : -result);
}

static void* post(void* sem) {
  usleep(30000);
  sem_post(sem);
  return 0;
}

static const struct timespec longPast = {1, 0};

int main(void) {
  struct timeval day;
  long seconds = 0;
  say("realtime", shown(CLOCK_REALTIME)), say("coarse", shown(CLOCK_REALTIME_COARSE)), say("tai", shown(CLOCK_TAI));
  say("alarm", shown(CLOCK_REALTIME_ALARM)), say("monotonic", shown(CLOCK_MONOTONIC)), say("boottime", shown(CLOCK_BOOTTIME));
  say("gettimeofday", gettimeofday(&day, 0) == 0 ? day.tv_sec : -errno);
  say("time", time(0)), time(&seconds), say("timeTo", seconds);
  say("rawRealtime", raw(CLOCK_REALTIME)), say("rawCoarse", raw(CLOCK_REALTIME_COARSE)), say("rawTai", raw(CLOCK_TAI));
  say("rawAlarm", raw(CLOCK_REALTIME_ALARM)), say("rawMonotonic", raw(CLOCK_MONOTONIC));
  say("rawGettimeofday", syscall(SYS_gettimeofday, &day, 0) == 0 ? day.tv_sec : -errno);
#ifdef SYS_time
  say("rawTime", syscall(SYS_time, 0)), syscall(SYS_time, &seconds), say("rawTimeTo", seconds);
#endif
  say("badPointer", syscall(SYS_clock_gettime, CLOCK_REALTIME, 8L) == 0 ? 0 : -errno);
  say("badClock", syscall(SYS_clock_gettime, 99, &day) == 0 ? 0 : -errno);

  /* Both ways of asking agree: neither steps back behind the other. */
  long steps = 0;
  struct timespec a, b;
  for (int i = 0; i < 200; i++) {
    clock_gettime(CLOCK_REALTIME, &a);
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &b);
    steps += b.tv_sec < a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec < a.tv_nsec);
    clock_gettime(CLOCK_REALTIME, &a);
    steps += a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec < b.tv_nsec);
  }
  say("steps", steps);

  struct timespec t;
  begin(), t = deadline, end("sleep", clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, 0), 0, t);
  begin(), deadline = from, deadline.tv_nsec += 60000000;
  if (deadline.tv_nsec >= 1000000000) deadline.tv_sec++, deadline.tv_nsec -= 1000000000;
  t = deadline, end("monotonicSleep", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, 0), 0, t);
  begin(), t = deadline, end("relativeSleep", usleep(60000), 0, t);
  begin(), say("pastSleep", clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &longPast, 0));
  begin(), deadline.tv_nsec = 1000000000, t = deadline, end("invalid", clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, 0) == EINVAL ? 0 : -1, 0, t);

  sem_t sem;
  sem_init(&sem, 0, 0);
  begin(), t = deadline, end("semaphore", sem_timedwait(&sem, &t) == -1 ? errno : 0, ETIMEDOUT, t);
  pthread_t poster;
  begin(), t = deadline, t.tv_sec += 3, deadline = t, pthread_create(&poster, 0, post, &sem);
  end("posted", sem_timedwait(&sem, &t), 0, t), pthread_join(poster, 0);
  begin(), say("pastSemaphore", sem_timedwait(&sem, &longPast) == -1 ? -errno : 0);

  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
  pthread_mutex_lock(&mutex);
  begin(), t = deadline, end("condition", pthread_cond_timedwait(&cond, &mutex, &t), ETIMEDOUT, t);
  begin(), t = deadline, end("mutex", pthread_mutex_timedlock(&mutex, &t), ETIMEDOUT, t);

  int fd = timerfd_create(CLOCK_REALTIME, 0);
  uint64_t expirations = 0;
  struct itimerspec spec = {{0, 0}, {0, 0}}, left;
  begin(), spec.it_value = deadline, timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, 0), timerfd_gettime(fd, &left);
  say("timerfdLeft", left.it_value.tv_sec * 1000 + left.it_value.tv_nsec / 1000000);
  end("timerfd", read(fd, &expirations, 8), 8, spec.it_value);
  spec.it_value = deadline;
  say("timerfdBadOld", syscall(SYS_timerfd_settime, fd, TFD_TIMER_ABSTIME, &spec, 8L) == 0 ? 0 : -errno);
  say("timerfdBadNew", syscall(SYS_timerfd_settime, fd, TFD_TIMER_ABSTIME, 8L, 0L) == 0 ? 0 : -errno);
  say("timerfdBadFlags", timerfd_settime(fd, TFD_TIMER_ABSTIME | 64, &spec, 0) == 0 ? 0 : -errno);
  spec.it_value.tv_nsec = 1000000000, say("timerfdInvalid", timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, 0) == 0 ? 0 : -errno);
  fd = timerfd_create(CLOCK_MONOTONIC, 0);
  begin(), deadline = from, deadline.tv_nsec += 60000000;
  if (deadline.tv_nsec >= 1000000000) deadline.tv_sec++, deadline.tv_nsec -= 1000000000;
  spec.it_value = deadline, timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, 0), end("monotonicTimerfd", read(fd, &expirations, 8), 8, spec.it_value);
  spec.it_value.tv_sec = spec.it_value.tv_nsec = 0;
  timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, 0), timerfd_gettime(fd, &left), say("disarmed", left.it_value.tv_sec + left.it_value.tv_nsec);
  say("noTimerfd", timerfd_settime(0, TFD_TIMER_ABSTIME, &spec, 0) == 0 ? 0 : -errno);

  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  sigset_t set;
  sigemptyset(&set), sigaddset(&set, SIGUSR1), sigprocmask(SIG_BLOCK, &set, 0);
  timer_create(CLOCK_REALTIME, &event, &timer);
  begin(), spec.it_value = deadline, timer_settime(timer, TIMER_ABSTIME, &spec, 0);
  struct timespec limit = {5, 0};
  end("timer", sigtimedwait(&set, 0, &limit), SIGUSR1, spec.it_value);

  mqd_t queue = mq_open("/sandlock-times", O_RDWR | O_CREAT, 0600, 0);
  if (queue >= 0) {
    mq_unlink("/sandlock-times");
    char message[8192];
    begin(), t = deadline, end("queue", mq_timedreceive(queue, message, sizeof message, 0, &t) == -1 ? errno : 0, ETIMEDOUT, t);
  }
  printf("}\n");
  return 0;
}

/*
 * deadline-storm: waits for one moment, in ways that read the deadline again and again. Prints, as one object of JSON, how
 * many milliseconds before or after it each ended, by CLOCK_MONOTONIC, or -1000 where the deadline did not stay what it was.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8, WAIT_MS = 400 };
static struct timespec deadline, kept;
static struct timespec end; /* the same by CLOCK_MONOTONIC */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static volatile int over;

static struct timespec later(int clock, long ms) {
  struct timespec t;
  clock_gettime(clock, &t);
  t.tv_sec += ms / 1000, t.tv_nsec += ms % 1000 * 1000000;
  if (t.tv_nsec >= 1000000000) t.tv_sec++, t.tv_nsec -= 1000000000;
  return t;
}
static void begin(void) { deadline = kept = later(CLOCK_REALTIME, WAIT_MS), end = later(CLOCK_MONOTONIC, WAIT_MS); }
static long late(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (now.tv_sec - end.tv_sec) * 1000 + (now.tv_nsec - end.tv_nsec) / 1000000;
}
static long outcome(long ms) {
  usleep(30000);
  return memcmp(&deadline, &kept, sizeof kept) == 0 ? ms : -1000;
}

static void* shared(void* result) {
  sem_t sem;
  sem_init(&sem, 0, 0);
  long got = sem_timedwait(&sem, &deadline) == -1 && errno == ETIMEDOUT ? late() : -999;
  *(long*)result = got;
  return 0;
}
static void* disturb(void* unused) {
  while (!over) pthread_mutex_lock(&mutex), pthread_cond_broadcast(&cond), pthread_mutex_unlock(&mutex), usleep(700);
  return unused;
}
static void ignore(int signal) { (void)signal; }

int main(int argc, char **argv) {
  pthread_t threads[THREADS];
  long results[THREADS], worst = 0, best = 1000000;
  begin();
  for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], 0, shared, &results[i]);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], 0);
  for (int i = 0; i < THREADS; i++) worst = results[i] > worst ? results[i] : worst, best = results[i] < best ? results[i] : best;
  printf("{\"sharedEarliest\": %ld, \"sharedLatest\": %ld", outcome(best), worst);

  long waits = 0;
  pthread_t other;
  pthread_create(&other, 0, disturb, 0);
  begin();
  pthread_mutex_lock(&mutex);
  while (pthread_cond_timedwait(&cond, &mutex, &deadline) == 0) waits++;
  long ms = late();
  pthread_mutex_unlock(&mutex);
  over = 1, pthread_join(other, 0);
  printf(", \"woken\": %ld, \"wakes\": %ld", outcome(ms), waits);

  struct sigaction action = {.sa_handler = ignore};
  sigaction(SIGALRM, &action, 0);
  struct itimerval often = {{0, 3000}, {0, 3000}}, never = {{0, 0}, {0, 0}};
  begin();
  setitimer(ITIMER_REAL, &often, 0);
  long interrupts = 0;
  while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &deadline, 0) == EINTR) interrupts++;
  ms = late();
  setitimer(ITIMER_REAL, &never, 0);
  printf(", \"interrupted\": %ld, \"interrupts\": %ld", outcome(ms), interrupts);

  (void)argv;
  if (argc < 2) { /* with any argument: without this part */
    /* Moved on in place, right after it was set. */
    int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC);
    struct itimerspec spec = {{0, 0}, {0, 0}};
    uint64_t expirations;
    begin();
    spec.it_value = deadline, spec.it_value.tv_sec -= 2;
    for (int i = 0; i < 20; i++) {
      spec.it_value.tv_nsec += 100000000;
      if (spec.it_value.tv_nsec >= 1000000000) spec.it_value.tv_sec++, spec.it_value.tv_nsec -= 1000000000;
      timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, 0);
    }
    if (read(fd, &expirations, 8) != 8) return 1;
    ms = late();
    printf(", \"moved\": %ld", memcmp(&spec.it_value, &deadline, sizeof deadline) == 0 ? ms : -1000);
  }
  printf("}\n");
  return 0;
}

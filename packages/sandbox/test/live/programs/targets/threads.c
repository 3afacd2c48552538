/* Many threads at work at once: each opens files, allocates and gives memory back, and adds to a sum. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 100, ROUNDS = 20 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long sum;

static void *work(void *argument) {
  for (int n = 0; n < ROUNDS; n++) {
    char *memory = malloc(300000);
    memset(memory, n, 300000);
    int fd = open("/usr/bin/env", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, memory, 4) != 4 || memory[1] != 'E') abort();
    close(fd);
    free(memory);
    pthread_mutex_lock(&lock);
    sum += (long)argument;
    pthread_mutex_unlock(&lock);
  }
  return NULL;
}

int main(void) {
  pthread_t threads[THREADS];
  for (long n = 0; n < THREADS; n++)
    if (pthread_create(&threads[n], NULL, work, (void *)n)) return 1;
  for (int n = 0; n < THREADS; n++) pthread_join(threads[n], NULL);
  printf("%ld\n", sum);
  return 0;
}

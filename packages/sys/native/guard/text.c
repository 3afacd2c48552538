/*
 * Text: the few string functions the guard needs, and /proc files, which are text.
 */
#include <linux/fcntl.h>

#include "../raw.h"
#include "guard.h"

size_t text_length(const char *s) {
  size_t n = 0;
  while (s[n]) n++;
  return n;
}

/* A decimal number of at most nine digits, or -1. */
int text_number(const char *s) {
  int n = 0, digits = 0;
  for (; *s >= '0' && *s <= '9' && digits < 9; s++, digits++) n = n * 10 + (*s - '0');
  return digits && !*s ? n : -1;
}

char *text_decimal(char *to, long n) {
  char digits[24];
  int i = 0;
  do digits[i++] = (char)('0' + n % 10);
  while (n /= 10);
  while (i) *to++ = digits[--i];
  *to = 0;
  return to;
}

char *text_append(char *to, const char *s) {
  while ((*to = *s++)) to++;
  return to;
}

/* Reads up to size - 1 bytes and ends them with NUL. Returns the length, or -errno. */
int text_read_file(const char *path, char *buffer, size_t size) {
  long fd = raw(__NR_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return (int)fd;
  size_t length = 0;
  for (;;) {
    long n = raw(__NR_read, fd, buffer + length, size - 1 - length);
    if (n <= 0) break;
    length += (size_t)n;
  }
  raw(__NR_close, fd);
  buffer[length] = 0;
  return (int)length;
}

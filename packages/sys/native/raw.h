/*
 * Raw system calls.
 *
 * The guard has no C library, and the code between clone and exec must not touch one (errno is the parent's
 * while memory is shared). Each function returns what the kernel returns: a value, or -errno.
 * syscall(2), "Architecture calling conventions".
 */
#ifndef SANDLOCK_RAW_H
#define SANDLOCK_RAW_H

#include <asm/unistd.h>

static inline long raw6(long nr, long a, long b, long c, long d, long e, long f) {
#if defined(__x86_64__)
  long ret;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(ret)
                   : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return ret;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = nr;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc #0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory");
  return x0;
#elif defined(__riscv) && __riscv_xlen == 64
  register long a7 __asm__("a7") = nr;
  register long a0 __asm__("a0") = a;
  register long a1 __asm__("a1") = b;
  register long a2 __asm__("a2") = c;
  register long a3 __asm__("a3") = d;
  register long a4 __asm__("a4") = e;
  register long a5 __asm__("a5") = f;
  __asm__ volatile("ecall"
                   : "+r"(a0)
                   : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5)
                   : "memory");
  return a0;
#else
#error "Sandlock runs on x86_64, aarch64 and riscv64"
#endif
}

#define RAW_PICK(_1, _2, _3, _4, _5, _6, _7, NAME, ...) NAME
#define RAW_1(n) raw6((n), 0, 0, 0, 0, 0, 0)
#define RAW_2(n, a) raw6((n), (long)(a), 0, 0, 0, 0, 0)
#define RAW_3(n, a, b) raw6((n), (long)(a), (long)(b), 0, 0, 0, 0)
#define RAW_4(n, a, b, c) raw6((n), (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define RAW_5(n, a, b, c, d) raw6((n), (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define RAW_6(n, a, b, c, d, e) raw6((n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define RAW_7(n, a, b, c, d, e, f) \
  raw6((n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* raw(__NR_close, fd): a system call with nought to six arguments. */
#define raw(...) \
  RAW_PICK(__VA_ARGS__, RAW_7, RAW_6, RAW_5, RAW_4, RAW_3, RAW_2, RAW_1, RAW_0)(__VA_ARGS__)

#endif

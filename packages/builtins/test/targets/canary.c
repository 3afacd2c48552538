/*
 * Prints what the C library made of AT_RANDOM: the canary of the stack protector, as a thread has it, and the bytes.
 * The library takes the canary from there, its first byte zero.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

int main(void) {
  uint64_t canary = 0, random[2];
  memcpy(random, (void *)getauxval(AT_RANDOM), sizeof random);
#if defined(__x86_64__)
  __asm__("mov %%fs:0x28, %0" : "=r"(canary));
#elif defined(__GLIBC__)
  extern uintptr_t __stack_chk_guard;
  canary = __stack_chk_guard;
#endif
  printf("%016lx %016lx %016lx\n", (unsigned long)canary, (unsigned long)random[0], (unsigned long)random[1]);
  return 0;
}

/*
 * host IMAGE PREFIX: maps an image as code, finds its functions as a C library does, and says what they answer.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct time { long seconds, fraction; };

static char* image;
static const char* prefix;

static void* find(const char* name) {
  Elf64_Ehdr* header = (Elf64_Ehdr*)image;
  Elf64_Phdr* segment = (Elf64_Phdr*)(image + header->e_phoff);
  Elf64_Sym* symbols = 0;
  char* strings = 0;
  unsigned* hash = 0;
  for (int i = 0; i < header->e_phnum; i++) {
    if (segment[i].p_type != PT_DYNAMIC) continue;
    for (Elf64_Dyn* at = (Elf64_Dyn*)(image + segment[i].p_vaddr); at->d_tag; at++) {
      if (at->d_tag == DT_SYMTAB) symbols = (Elf64_Sym*)(image + at->d_un.d_ptr);
      if (at->d_tag == DT_STRTAB) strings = image + at->d_un.d_ptr;
      if (at->d_tag == DT_HASH) hash = (unsigned*)(image + at->d_un.d_ptr);
    }
  }
  char whole[64];
  snprintf(whole, sizeof whole, "%s%s", prefix, name);
  for (unsigned i = 0; i < hash[1]; i++) {
    if (strcmp(strings + symbols[i].st_name, whole) == 0) return image + symbols[i].st_value;
  }
  return 0;
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  int fd = open(argv[1], O_RDONLY);
  image = mmap(0, 1 << 20, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  long length = read(fd, image, 1 << 20);
  prefix = argv[2];
  __builtin___clear_cache(image, image + length);

  int (*clock_gettime)(int, struct time*) = find("clock_gettime");
  int (*gettimeofday)(struct time*, int*) = find("gettimeofday");
  long (*time)(long*) = find("time");
  long (*getrandom)(void*, unsigned long) = find("getrandom");
  int clocks[] = {0, 1, 5, 7, 8, 11, 99};
  for (unsigned i = 0; i < sizeof clocks / sizeof *clocks; i++) {
    struct time now = {-1, -1};
    int result = clock_gettime(clocks[i], &now);
    printf("clock %d: %d %ld.%09ld\n", clocks[i], result, now.seconds, now.fraction);
  }
  struct time now = {-1, -1};
  int zone[2] = {0, 0}, bad[2] = {-1, -1}, result = gettimeofday(&now, zone);
  printf("day: %d %ld.%06ld %d\n", result, now.seconds, now.fraction, zone[0]);
  zone[0] = 0;
  result = gettimeofday(0, zone);
  printf("zone: %d %d\n", result, zone[0]);
  printf("bad: %d\n", gettimeofday(&now, bad));
  long seconds = -1, returned = time(&seconds);
  printf("time: %ld %ld %ld\n", returned, seconds, time(0));
  printf("random: %ld\n", getrandom(&now, 16));
  return 0;
}

/* Takes an fcntl(2) lock on LOCKED_FILE for the process that loads this. */
#include <fcntl.h>

__attribute__((constructor)) static void take(void) {
  struct flock whole = {.l_type = F_WRLCK};
  fcntl(open(LOCKED_FILE, O_RDWR | O_CLOEXEC), F_SETLK, &whole);
}

/*
 * Control: the guard's end of the conversation with its supervisor.
 *
 * One record per message on a SOCK_SEQPACKET pair, so nothing has to be framed and a descriptor belongs to the
 * record that carries it. unix(7), "SCM_RIGHTS".
 */
#include "../raw.h"
#include "guard.h"
#include "kernel.h"

void guard_send(struct guard *g, const struct guard_message *m, int fd) {
  struct k_iovec iov = {(void *)m, sizeof *m};
  struct {
    struct k_cmsghdr header;
    int fd;
    int padding;
  } rights = {{sizeof(struct k_cmsghdr) + sizeof(int), K_SOL_SOCKET, K_SCM_RIGHTS}, fd, 0};
  struct k_msghdr msg = {0};
  msg.iov = &iov;
  msg.iovlen = 1;
  if (fd >= 0) {
    msg.control = &rights;
    msg.controllen = sizeof rights;
  }
  /* A supervisor that is gone is noticed by the poll loop; here the message just has no reader. */
  raw(__NR_sendmsg, g->control, &msg, K_MSG_NOSIGNAL);
}

void guard_tell(struct guard *g, uint32_t type, int a, int b) {
  struct guard_message m = {0};
  m.type = type;
  m.a = a;
  m.b = b;
  guard_send(g, &m, -1);
}

/* Whether its supervisor is gone, or wants to hear no more. */
int guard_is_orphaned(struct guard *g) {
  struct k_pollfd fds[2] = {{g->control, 0, 0}, {g->supervisor, K_POLLIN, 0}};
  struct k_timespec now = {0, 0};
  return raw(__NR_ppoll, fds, 2, &now, 0, 8) > 0;
}

/* 1: a message; 0: none waits; -1: the supervisor closed its end or died. */
int guard_receive(struct guard *g, struct guard_message *m) {
  long n = raw(__NR_recvfrom, g->control, m, sizeof *m, K_MSG_DONTWAIT, 0, 0);
  if (n == -K_EAGAIN || n == -K_EINTR) return 0;
  return n == (long)sizeof *m ? 1 : -1;
}

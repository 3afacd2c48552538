#include "notif.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>

namespace sandlock {

int Receive(int fd, seccomp_notif* notification) {
  memset(notification, 0, sizeof *notification);  // the kernel demands it
  return ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, notification) == 0 ? 1 : -errno;
}

int ReceiveIfAny(int fd, seccomp_notif* notification) {
  pollfd p = {fd, POLLIN, 0};
  int ready = poll(&p, 1, 0);
  if (ready <= 0) return ready == 0 ? 0 : -errno;
  if (!(p.revents & POLLIN)) return p.revents & POLLNVAL ? -EBADF : -EPIPE;
  return Receive(fd, notification);
}

int Send(int fd, const seccomp_notif_resp& response) {
  return ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0 ? 0 : -errno;
}

int SendContinue(int fd, __u64 id) {
  seccomp_notif_resp response = {};
  response.id = id;
  response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  int sent;
  while ((sent = Send(fd, response)) == -EINTR) {
  }
  return sent;
}

bool IsValid(int fd, __u64 id) { return ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0; }

}  // namespace sandlock

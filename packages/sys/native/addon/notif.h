/*
 * The listener's requests. seccomp_unotify(2)
 */
#ifndef SANDLOCK_NOTIF_H
#define SANDLOCK_NOTIF_H

#include <linux/seccomp.h>

namespace sandlock {

// Sleeps where none waits, even on a non-blocking listener; where poll(2) said POLLIN it does not: a notification that
// was withdrawn meanwhile is -ENOENT. 1 or -errno.
int Receive(int fd, seccomp_notif* notification);
// The same, and 0 where none waits; -EPIPE: no task uses the filter any more.
int ReceiveIfAny(int fd, seccomp_notif* notification);
// 0 or -errno.
int Send(int fd, const seccomp_notif_resp& response);
int SendContinue(int fd, __u64 id);
// Whether the call still waits.
bool IsValid(int fd, __u64 id);

}  // namespace sandlock

#endif

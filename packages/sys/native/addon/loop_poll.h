/*
 * LoopPoll: a descriptor on the event loop of the thread that made it, for those who watch one. uv_poll_t, level-triggered.
 *
 * Waiting eagerly: the loop waits for its descriptors in epoll, and whoever makes one readable wakes it by way of that,
 * on a processor that the scheduler picks. A thread that sleeps on the descriptor itself is woken on the waker's, which
 * takes a fraction of the time. So for a while after each event the thread, where the loop would go to sleep, sleeps on
 * the descriptor, with the loop's own epoll beside it; every other event ends that sleep.
 */
#ifndef SANDLOCK_LOOP_POLL_H
#define SANDLOCK_LOOP_POLL_H

#include <node_api.h>
#include <uv.h>

namespace sandlock {

class LoopPoll {
 public:
  // What the kernel's poll(2) said, POLLIN and so on; 0: something may be there, and the loop's word is all there is.
  using Revents = short;

 protected:
  // 0 or a libuv error. Goes on the loop with Start().
  int Open(napi_env env, int fd);
  // events: UV_READABLE and so on. eager_us: how long to wait eagerly after each event, 0: never; for UV_READABLE alone.
  int Start(int events, int64_t eager_us);
  void SetRef(bool ref);
  // No callback comes after, and the descriptor may be closed at once. Idempotent.
  void Close();
  virtual ~LoopPoll() { Close(); }

  virtual void Ready(int status, int events, Revents revents) = 0;

 private:
  struct Handles;
  Handles* handles_ = nullptr;
};

}  // namespace sandlock

#endif

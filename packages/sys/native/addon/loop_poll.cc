#include "loop_poll.h"

#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>

#include "now.h"

namespace sandlock {

// Outlives its owner until libuv has let go of both handles.
struct LoopPoll::Handles {
  uv_poll_t poll;
  uv_prepare_t prepare;
  LoopPoll* owner;
  int fd;
  int64_t eager_us = 0, eager_until_us = 0;
  bool renewed = false;
  int open = 2;
  napi_async_cleanup_hook_handle hook = nullptr;

  uv_handle_t* PollHandle() { return reinterpret_cast<uv_handle_t*>(&poll); }
  uv_handle_t* PrepareHandle() { return reinterpret_cast<uv_handle_t*>(&prepare); }

  void Tell(int status, int events, Revents revents) {
    owner->Ready(status, events, revents);
    if (eager_us == 0 || !owner) return;
    renewed = true;
    uv_prepare_start(&prepare, WaitEagerly);
  }

  void CloseAll() {
    if (owner) owner->handles_ = nullptr;
    owner = nullptr;
    if (uv_is_closing(PollHandle())) return;
    uv_close(PollHandle(), OnClosed);
    uv_close(PrepareHandle(), OnClosed);
  }

  static void OnClosed(uv_handle_t* handle) {
    auto* handles = static_cast<Handles*>(handle->data);
    if (--handles->open > 0) return;
    napi_remove_async_cleanup_hook(handles->hook);
    delete handles;
  }

  // Watchers that the loop has not told its epoll of yet: until it has, their events would not end a wait of ours.
  // The field is a queue head of two pointers in every libuv 1.x, and points at itself when empty.
  static bool HasNewWatchers(uv_loop_t* loop) {
    auto* head = reinterpret_cast<void**>(&loop->watcher_queue);
    return head[0] != head;
  }

  // While we wait for the descriptor ourselves, epoll need not be woken for it as well. The datum is libuv's.
  bool InEpoll(bool listening) {
    epoll_event event = {};
    if (listening) event.events = EPOLLIN;
    event.data.fd = fd;
    return epoll_ctl(uv_backend_fd(poll.loop), EPOLL_CTL_MOD, fd, &event) == 0;
  }

  static void WaitEagerly(uv_prepare_t* prepare) {
    auto* handles = static_cast<Handles*>(prepare->data);
    uv_loop_t* loop = prepare->loop;
    // Not there: the loop has yet to add it.
    if (HasNewWatchers(loop) || !handles->InEpoll(false)) return;
    while (handles->WaitOnce(loop)) {
    }
    if (handles->owner) handles->InEpoll(true);
    uv_update_time(loop);
  }

  // Whether to wait once more. Otherwise it is the loop's turn.
  bool WaitOnce(uv_loop_t* loop) {
    if (HasNewWatchers(loop)) return false;
    int64_t now_us = NowUs();
    if (renewed) eager_until_us = now_us + eager_us;
    renewed = false;
    int64_t left_us = eager_until_us - now_us;
    if (left_us <= 0) {
      uv_prepare_stop(&prepare);
      return false;
    }
    // The loop's clock is this one in milliseconds. Reading it again takes as long as a part of a call that one sees.
    if (static_cast<uint64_t>(now_us / 1000) != uv_now(loop)) uv_update_time(loop);
    int timeout_ms = uv_backend_timeout(loop);
    if (timeout_ms == 0) return false;
    if (timeout_ms > 0) left_us = std::min<int64_t>(left_us, timeout_ms * 1000LL);
    pollfd fds[] = {{fd, POLLIN, 0}, {uv_backend_fd(loop), POLLIN, 0}};
    timespec wait = {static_cast<time_t>(left_us / 1000000), static_cast<long>(left_us % 1000000 * 1000)};
    if (ppoll(fds, 2, &wait, nullptr) <= 0) return false;
    if (fds[0].revents) Tell(0, UV_READABLE, fds[0].revents);
    return owner && !fds[1].revents;
  }
};

int LoopPoll::Open(napi_env env, int fd) {
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  if (!loop) return UV_EINVAL;
  auto* handles = new Handles{};
  int rc = uv_poll_init(loop, &handles->poll, fd);
  if (rc < 0) {
    delete handles;
    return rc;
  }
  handles->fd = fd;
  handles->owner = this;
  handles->poll.data = handles;
  uv_prepare_init(loop, &handles->prepare);
  handles->prepare.data = handles;
  uv_unref(handles->PrepareHandle());
  // A worker that is ended waits here until the handles are closed.
  napi_add_async_cleanup_hook(env, [](napi_async_cleanup_hook_handle, void* data) {
    static_cast<Handles*>(data)->CloseAll();
  }, handles, &handles->hook);
  handles_ = handles;
  return 0;
}

int LoopPoll::Start(int events, int64_t eager_us) {
  if (!handles_) return UV_EBADF;
  handles_->eager_us = eager_us;
  return uv_poll_start(&handles_->poll, events, [](uv_poll_t* poll, int status, int ready) {
    auto* handles = static_cast<Handles*>(poll->data);
    if (handles->owner) handles->Tell(status, ready, 0);
  });
}

void LoopPoll::SetRef(bool ref) {
  if (handles_) ref ? uv_ref(handles_->PollHandle()) : uv_unref(handles_->PollHandle());
}

void LoopPoll::Close() {
  if (handles_) handles_->CloseAll();
}

}  // namespace sandlock

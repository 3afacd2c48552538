/*
 * FdWatcher: a descriptor on the event loop of the thread that made it. uv_poll_t, level-triggered.
 */
#include <poll.h>
#include <time.h>
#include <uv.h>

#include <algorithm>

#include "result.h"

namespace sandlock {

class FdWatcher : public Napi::ObjectWrap<FdWatcher> {
 public:
  static Napi::Function Class(Napi::Env env) {
    return DefineClass(env, "FdWatcher", {InstanceMethod<&FdWatcher::Start>("start"), InstanceMethod<&FdWatcher::Stop>("stop"),
                                          InstanceMethod<&FdWatcher::Ref>("ref"), InstanceMethod<&FdWatcher::Unref>("unref"),
                                          InstanceMethod<&FdWatcher::Close>("close")});
  }

  // (fd, callback(status, events)); start(events) begins.
  explicit FdWatcher(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<FdWatcher>(info), context_(info.Env(), "sandlock.FdWatcher") {
    uv_loop_t* loop = nullptr;
    napi_get_uv_event_loop(info.Env(), &loop);
    poll_ = new Poll{};
    poll_->owner = this;
    poll_->fd = Int(info[0]);
    int rc = loop ? uv_poll_init(loop, &poll_->handle, poll_->fd) : UV_EINVAL;
    if (rc < 0) {
      delete poll_;
      poll_ = nullptr;
      Napi::Error::New(info.Env(), uv_strerror(rc)).ThrowAsJavaScriptException();
      return;
    }
    poll_->handle.data = poll_;
    uv_prepare_init(loop, &poll_->prepare);
    poll_->prepare.data = poll_;
    uv_unref(reinterpret_cast<uv_handle_t*>(&poll_->prepare));
    callback_ = Napi::Persistent(info[1].As<Napi::Function>());
    // A worker that is ended waits here until the handle is closed.
    napi_add_async_cleanup_hook(info.Env(), [](napi_async_cleanup_hook_handle, void* data) {
      auto* poll = static_cast<Poll*>(data);
      CloseHandle(poll);
    }, poll_, &poll_->hook);
  }

  ~FdWatcher() override {
    if (poll_) CloseHandle(poll_);
  }

 private:
  struct Poll {
    uv_poll_t handle;
    uv_prepare_t prepare;
    FdWatcher* owner;
    int fd;
    int64_t eager_us, eager_until_us;
    int open_handles = 2;
    napi_async_cleanup_hook_handle hook;
  };

  static void CloseHandle(Poll* poll) {
    auto* handle = reinterpret_cast<uv_handle_t*>(&poll->handle);
    if (poll->owner) poll->owner->poll_ = nullptr;
    poll->owner = nullptr;
    if (uv_is_closing(handle)) return;
    uv_close(handle, OnClosed);
    uv_close(reinterpret_cast<uv_handle_t*>(&poll->prepare), OnClosed);
  }

  static void OnClosed(uv_handle_t* handle) {
    auto* closed = static_cast<Poll*>(handle->data);
    if (--closed->open_handles > 0) return;
    napi_remove_async_cleanup_hook(closed->hook);
    delete closed;
  }

  static int64_t NowUs() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
  }

  // Watchers that the loop has not told its epoll of yet: until it has, their events would not end a wait of ours.
  // The field is a queue head of two pointers in every libuv 1.x, and points at itself when empty.
  static bool HasNewWatchers(uv_loop_t* loop) {
    auto* head = reinterpret_cast<void**>(&loop->watcher_queue);
    return head[0] != head;
  }

  // Waits for the descriptor in place of the loop, which is about to wait for everything in epoll. Everything else
  // ends this wait as well, for the loop's own descriptor is waited for beside ours.
  static void WaitEagerly(uv_prepare_t* prepare) {
    auto* poll = static_cast<Poll*>(prepare->data);
    uv_loop_t* loop = prepare->loop;
    while (poll->owner) {
      if (HasNewWatchers(loop)) return;
      int64_t left_us = poll->eager_until_us - NowUs();
      if (left_us <= 0) {
        uv_prepare_stop(prepare);
        return;
      }
      uv_update_time(loop);
      int timeout_ms = uv_backend_timeout(loop);
      if (timeout_ms == 0) return;
      if (timeout_ms > 0) left_us = std::min<int64_t>(left_us, timeout_ms * 1000LL);
      pollfd fds[] = {{poll->fd, POLLIN, 0}, {uv_backend_fd(loop), POLLIN, 0}};
      timespec wait = {static_cast<time_t>(left_us / 1000000), static_cast<long>(left_us % 1000000 * 1000)};
      if (ppoll(fds, 2, &wait, nullptr) <= 0 || !(fds[0].revents & POLLIN)) return;
      OnReady(&poll->handle, 0, UV_READABLE);
    }
  }

  static void OnReady(uv_poll_t* handle, int status, int events) {
    auto* poll = static_cast<Poll*>(handle->data);
    auto* self = poll->owner;
    if (!self) return;
    Napi::Env env = self->Env();
    Napi::HandleScope scope(env);
    napi_value arguments[] = {Napi::Number::New(env, status), Napi::Number::New(env, events)}, result, error;
    // The C interface: the C++ one makes an Error of every failure, and a worker that is being terminated, which is
    // one, can make no objects any more; that would abort the process.
    napi_status called = napi_make_callback(env, self->context_, self->Value(), self->callback_.Value(), 2, arguments, &result);
    // There is no JavaScript above us to throw to: make it an uncaughtException instead of losing it.
    if (called == napi_pending_exception && napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
    if (poll->eager_us == 0 || !poll->owner) return;
    poll->eager_until_us = NowUs() + poll->eager_us;
    uv_prepare_start(&poll->prepare, WaitEagerly);
  }

  Napi::Value Start(const Napi::CallbackInfo& info) {
    if (!poll_) return Napi::Number::New(info.Env(), UV_EBADF);
    if (!held_) Ref_(), held_ = true;
    poll_->eager_us = Int(info[1]);
    return Napi::Number::New(info.Env(), uv_poll_start(&poll_->handle, Int(info[0]), OnReady));
  }
  Napi::Value Stop(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), poll_ ? uv_poll_stop(&poll_->handle) : 0);
  }
  void Ref(const Napi::CallbackInfo&) {
    if (poll_) uv_ref(reinterpret_cast<uv_handle_t*>(&poll_->handle));
  }
  void Unref(const Napi::CallbackInfo&) {
    if (poll_) uv_unref(reinterpret_cast<uv_handle_t*>(&poll_->handle));
  }
  // The descriptor may be closed as soon as this returns: uv_close takes it out of epoll at once.
  void Close(const Napi::CallbackInfo&) {
    if (poll_) CloseHandle(poll_);
    callback_.Reset();
    if (held_) Unref_(), held_ = false;
  }

  // Started watchers are reachable from the loop alone, so they hold themselves.
  void Ref_() { Napi::ObjectWrap<FdWatcher>::Ref(); }
  void Unref_() { Napi::ObjectWrap<FdWatcher>::Unref(); }

  Poll* poll_ = nullptr;
  bool held_ = false;
  Napi::AsyncContext context_;
  Napi::FunctionReference callback_;
};

void InitFdWatcher(Napi::Env env, Napi::Object exports) { exports.Set("FdWatcher", FdWatcher::Class(env)); }

}  // namespace sandlock

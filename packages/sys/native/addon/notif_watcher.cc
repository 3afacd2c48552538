/*
 * NotifWatcher: a listener on the event loop, which hands out one received notification after the other.
 *
 * Receiving and screening happen on the way, so calls that concern nobody never enter JavaScript: code that was not run
 * for a while has left the processor's caches, and costs more there than everything else about such a call.
 */
#include <poll.h>

#include "notif.h"
#include "path_screen.h"
#include "watcher.h"

namespace sandlock {

class NotifWatcher : public Watcher<NotifWatcher> {
 public:
  static Napi::Function Class(Napi::Env env) { return ClassNamed(env, "NotifWatcher"); }

  // (listenerFd, buffer, screen or undefined, callback(received)). The buffer is the caller's: it keeps it alive.
  explicit NotifWatcher(const Napi::CallbackInfo& info)
      : Watcher(info, "sandlock.NotifWatcher", Int(info[0]), info[3]), fd_(Int(info[0])) {
    Bytes buffer = BytesOf(info[1]);
    if (buffer.length < sizeof(seccomp_notif)) {
      Napi::RangeError::New(info.Env(), "the buffer is smaller than a notification").ThrowAsJavaScriptException();
      return;
    }
    buffer_ = Napi::Persistent(info[1].As<Napi::Object>());
    notification_ = reinterpret_cast<seccomp_notif*>(buffer.data);
    if (!info[2].IsObject()) return;
    screen_reference_ = Napi::Persistent(info[2].As<Napi::Object>());
    screen_ = PathScreen::Unwrap(screen_reference_.Value());
  }

 private:
  void Ready(int, int, Revents revents) override {
    int received = revents & POLLIN ? Receive(fd_, notification_) : ReceiveIfAny(fd_, notification_);
    // Nothing there, interrupted, or withdrawn meanwhile: what still waits makes the listener readable again.
    if (received == 0 || received == -EINTR || received == -ENOENT) return;
    if (received == 1 && screen_ && screen_->Passes(*notification_)) {
      int sent = SendContinue(fd_, notification_->id);
      if (sent == 0 || sent == -ENOENT) return;
      received = sent;
    }
    CallBack({received});
  }

  int fd_;
  seccomp_notif* notification_ = nullptr;
  PathScreen* screen_ = nullptr;
  Napi::ObjectReference buffer_, screen_reference_;
};

void InitNotifWatcher(Napi::Env env, Napi::Object exports) { exports.Set("NotifWatcher", NotifWatcher::Class(env)); }

}  // namespace sandlock

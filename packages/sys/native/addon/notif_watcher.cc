/*
 * NotifWatcher: a listener on the event loop, which hands out one received notification after the other.
 *
 * Receiving and screening happen on the way, so calls that concern nobody never enter JavaScript: code that was not run
 * for a while has left the processor's caches, and costs more there than everything else about such a call.
 */
#include <poll.h>

#include "endings.h"
#include "notif.h"
#include "path_screen.h"
#include "watcher.h"

namespace sandlock {

class NotifWatcher : public Watcher<NotifWatcher> {
 public:
  static Napi::Function Class(Napi::Env env) {
    return ClassNamed(env, "NotifWatcher", {InstanceMethod<&NotifWatcher::EndDue>("endDue")});
  }

  // (listenerFd, buffer, screen or undefined, callback(received)). The buffer is the caller's: it keeps it alive. Called
  // back with 2 where ends of processes wait from now on: endDue() is to be called about each millisecond then.
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

  // () -> whether any still wait.
  Napi::Value EndDue(const Napi::CallbackInfo& info) {
    for (const auto& each : endings_.TakeDue(fd_)) GoOn(each);
    return Napi::Boolean::New(info.Env(), !endings_.IsEmpty());
  }

  void End(const Napi::CallbackInfo& info) {
    closed_ = true;
    endings_.Clear();
    Watcher::End(info);
  }

 private:
  void Ready(int, int, Revents revents) override {
    int received = revents & POLLIN ? Receive(fd_, notification_) : ReceiveIfAny(fd_, notification_);
    // Nothing there, interrupted, or withdrawn meanwhile: what still waits makes the listener readable again.
    if (received == 0 || received == -EINTR || received == -ENOENT) return;
    if (received != 1) return CallBack({received});
    bool none = endings_.IsEmpty();
    if (endings_.Postpone(fd_, *notification_)) {
      if (none) CallBack({2});
      return;
    }
    // Nothing takes its call back any more, so now it may hear of them; and before it goes on, so that it does not hear of them in
    // its next call.
    if (!none) EndChildren();
    if (!closed_) HandOn();
  }

  void HandOn() {
    int received = 1;
    if (screen_ && screen_->Passes(*notification_)) {
      int sent = SendContinue(fd_, notification_->id);
      if (sent == 0 || sent == -ENOENT) return;
      received = sent;
    }
    CallBack({received});
  }

  void EndChildren() {
    seccomp_notif parent = *notification_;
    AwaitedEnds ends;
    for (const auto& each : endings_.TakeChildrenOf(static_cast<pid_t>(parent.pid))) {
      ends.Add(each.process);
      GoOn(each);
    }
    if (closed_) return;
    ends.Await();
    *notification_ = parent;
  }

  void GoOn(const Endings::Ending& ending) {
    if (closed_ || !IsValid(fd_, ending.notification.id)) return; // it was killed meanwhile
    *notification_ = ending.notification;
    HandOn();
  }

  int fd_;
  seccomp_notif* notification_ = nullptr;
  PathScreen* screen_ = nullptr;
  Endings endings_;
  bool closed_ = false;
  Napi::ObjectReference buffer_, screen_reference_;
};

void InitNotifWatcher(Napi::Env env, Napi::Object exports) { exports.Set("NotifWatcher", NotifWatcher::Class(env)); }

}  // namespace sandlock

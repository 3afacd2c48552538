/*
 * FdWatcher: a descriptor on the event loop of the thread that made it.
 */
#include "watcher.h"

namespace sandlock {

class FdWatcher : public Watcher<FdWatcher> {
 public:
  static Napi::Function Class(Napi::Env env) { return ClassNamed(env, "FdWatcher"); }

  // (fd, callback(status, events))
  explicit FdWatcher(const Napi::CallbackInfo& info) : Watcher(info, "sandlock.FdWatcher", Int(info[0]), info[1]) {}

 private:
  void Ready(int status, int events, Revents) override { CallBack({status, events}); }
};

void InitFdWatcher(Napi::Env env, Napi::Object exports) { exports.Set("FdWatcher", FdWatcher::Class(env)); }

}  // namespace sandlock

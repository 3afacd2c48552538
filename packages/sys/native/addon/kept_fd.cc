/*
 * KeptFd: a descriptor that is closed with its object, and so at the latest with the thread that has it.
 */
#include <unistd.h>

#include "result.h"

namespace sandlock {

class KeptFd : public Napi::ObjectWrap<KeptFd> {
 public:
  static Napi::Function Class(Napi::Env env) { return DefineClass(env, "KeptFd", {InstanceMethod<&KeptFd::Close>("close"), InstanceMethod<&KeptFd::Release>("release")}); }

  // (fd)
  explicit KeptFd(const Napi::CallbackInfo& info) : Napi::ObjectWrap<KeptFd>(info), fd_(Int(info[0])) {}
  ~KeptFd() override { CloseOnce(); }

 private:
  Napi::Value Close(const Napi::CallbackInfo& info) {
    CloseOnce();
    return info.Env().Undefined();
  }

  Napi::Value Release(const Napi::CallbackInfo& info) {
    fd_ = -1;
    return info.Env().Undefined();
  }

  void CloseOnce() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

  int fd_;
};

void InitKeptFd(Napi::Env env, Napi::Object exports) { exports.Set("KeptFd", KeptFd::Class(env)); }

}  // namespace sandlock

/*
 * Watcher: what FdWatcher, NotifWatcher and PipeCapture share, an object that calls back into JavaScript from the event loop.
 */
#ifndef SANDLOCK_WATCHER_H
#define SANDLOCK_WATCHER_H

#include <vector>

#include "loop_poll.h"
#include "result.h"

namespace sandlock {

template <typename T>
class Watcher : public Napi::ObjectWrap<T>, protected LoopPoll {
 protected:
  Watcher(const Napi::CallbackInfo& info, const char* name, int fd, const Napi::Value& callback)
      : Napi::ObjectWrap<T>(info), context_(info.Env(), name) {
    int rc = Open(info.Env(), fd);
    if (rc < 0) Napi::Error::New(info.Env(), uv_strerror(rc)).ThrowAsJavaScriptException();
    else callback_ = Napi::Persistent(callback.template As<Napi::Function>());
  }

  static Napi::Function ClassNamed(Napi::Env env, const char* name, std::vector<Napi::ClassPropertyDescriptor<T>> own = {}) {
    using Wrap = Napi::ObjectWrap<T>;
    own.insert(own.end(), {
        Wrap::InstanceMethod("start", static_cast<Method>(&T::Begin)), Wrap::InstanceMethod("ref", static_cast<VoidMethod>(&T::RefLoop)),
        Wrap::InstanceMethod("unref", static_cast<VoidMethod>(&T::UnrefLoop)), Wrap::InstanceMethod("close", static_cast<VoidMethod>(&T::End))});
    return Wrap::DefineClass(env, name, own);
  }

  template <size_t N>
  void CallBack(const int (&values)[N]) {
    Napi::Env env = this->Env();
    Napi::HandleScope scope(env);
    napi_value arguments[N], result, error;
    for (size_t i = 0; i < N; i++) arguments[i] = Napi::Number::New(env, values[i]);
    // The C interface: the C++ one makes an Error of every failure, and a worker that is being terminated, which is
    // one, can make no objects any more; that would abort the process.
    napi_status called = napi_make_callback(env, context_, this->Value(), callback_.Value(), N, arguments, &result);
    // There is no JavaScript above us to throw to: make it an uncaughtException instead of losing it.
    if (called == napi_pending_exception && napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
  }

 public:
  // (events, eagerUs) -> 0 or a libuv error. Started watchers are reachable from the loop alone, so they hold themselves.
  Napi::Value Begin(const Napi::CallbackInfo& info) {
    if (!held_) Napi::ObjectWrap<T>::Ref(), held_ = true;
    return Napi::Number::New(info.Env(), Start(Int(info[0]), Int(info[1])));
  }
  void RefLoop(const Napi::CallbackInfo&) { SetRef(true); }
  void UnrefLoop(const Napi::CallbackInfo&) { SetRef(false); }
  void End(const Napi::CallbackInfo&) {
    Close();
    callback_.Reset();
    if (held_) Napi::ObjectWrap<T>::Unref(), held_ = false;
  }

 private:
  using Method = Napi::Value (T::*)(const Napi::CallbackInfo&);
  using VoidMethod = void (T::*)(const Napi::CallbackInfo&);

  bool held_ = false;
  Napi::AsyncContext context_;
  Napi::FunctionReference callback_;
};

}  // namespace sandlock

#endif

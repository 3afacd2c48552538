/*
 * Lifeline: what ties a guard to the thread that supervises it.
 *
 * A worker thread can be terminated while its process goes on. Its JavaScript runs no more then, its descriptors
 * stay open, and a guard that watches the process would see nothing. So the environment itself closes the control
 * socket, which is the guard's word to end the tree, waits for it and reaps it. The same happens when the event loop
 * of the process runs out. process.exit() runs no such hook; there the guard sees the process end.
 */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "result.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

namespace sandlock {

// A guard ends a tree in milliseconds. One that is stopped from outside must not keep the process from ending.
static const int kPatienceMs = 2000;

class Lifeline : public Napi::ObjectWrap<Lifeline> {
 public:
  static Napi::Function Class(Napi::Env env) {
    return DefineClass(env, "Lifeline", {InstanceMethod<&Lifeline::Release>("release")});
  }

  // (controlFd, pidfd): both stay the caller's until the environment ends.
  explicit Lifeline(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<Lifeline>(info), ends_(new Ends{info.Env(), Int(info[0]), Int(info[1])}) {
    napi_add_env_cleanup_hook(info.Env(), Cut, ends_);
  }

 private:
  struct Ends {
    napi_env env;
    int control, pidfd;
  };

  static void Cut(void* data) {
    auto* ends = static_cast<Ends*>(data);
    shutdown(ends->control, SHUT_RDWR);
    close(ends->control);
    pollfd gone = {ends->pidfd, POLLIN, 0};
    siginfo_t child;
    memset(&child, 0, sizeof child);
    if (poll(&gone, 1, kPatienceMs) == 1)
      waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(ends->pidfd), &child, WEXITED | WNOHANG);
    close(ends->pidfd);
    delete ends;
  }

  // The guard has ended. Without this call the hook stays, also when the object is collected.
  void Release(const Napi::CallbackInfo&) {
    if (!ends_) return;
    napi_remove_env_cleanup_hook(ends_->env, Cut, ends_);
    delete ends_;
    ends_ = nullptr;
  }

  Ends* ends_;
};

void InitLifeline(Napi::Env env, Napi::Object exports) { exports.Set("Lifeline", Lifeline::Class(env)); }

}  // namespace sandlock

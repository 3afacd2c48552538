/*
 * Apart: a copy of a target's socket, in a thread that has a descriptor table of its own.
 *
 * What a target names as its socket may be any file of its own choice, and in this process's table the mere close of a copy
 * has effects: it releases every fcntl(2) lock that the process holds on that file, and where the target has let go
 * meanwhile, it waits for as long as SO_LINGER says. In a table of its own there are no locks to release, and a
 * thread that ends does not linger. If a call sleeps on a lock of the target's socket, only that thread does.
 * fcntl(2), "Advisory record locking"; net/ipv4/af_inet.c, inet_release()
 */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

#include "result.h"

#ifndef __NR_close_range
#define __NR_close_range 436
#endif

namespace sandlock {

static const unsigned kCloseRangeUnshare = 2;
static const int kMaxThreads = 16;  // those that sleep are a target's doing
static const auto kPatience = std::chrono::milliseconds(250);
static std::atomic<int> gThreads{0};

struct Room {
  std::mutex mutex;
  std::condition_variable changed;
  std::function<long(int)> work;
  long result = 0;
  bool asked = false, ended = false;
  int pid = 0, targetFd = 0, tid = 0;
  unsigned flags = 0;
};

static long Errno(long rc) { return rc == -1 ? -errno : rc; }

static void Live(const std::shared_ptr<Room>& room) {
  // The last of the table is left out rather than copied and closed: no file of this process is held even for a moment.
  long fd = Errno(syscall(__NR_close_range, 0, ~0U, kCloseRangeUnshare));
  long pidfd = fd < 0 ? fd : Errno(syscall(SYS_pidfd_open, room->pid, room->flags));
  fd = pidfd < 0 ? pidfd : Errno(syscall(SYS_pidfd_getfd, static_cast<int>(pidfd), room->targetFd, 0));
  std::unique_lock<std::mutex> lock(room->mutex);
  room->tid = static_cast<int>(syscall(SYS_gettid));
  room->result = fd < 0 ? fd : 0;
  room->asked = false;
  room->changed.notify_all();
  while (fd >= 0) {
    room->changed.wait(lock, [&] { return room->asked || room->ended; });
    if (room->ended) break;
    auto work = room->work;
    lock.unlock();
    long result = work(static_cast<int>(fd));
    lock.lock();
    room->result = result;
    room->asked = false;
    room->changed.notify_all();
  }
}

static void* Run(void* data) {
  {
    std::unique_ptr<std::shared_ptr<Room>> room(static_cast<std::shared_ptr<Room>*>(data));
    Live(*room);
  }
  gThreads--;
  return nullptr;
}

class Apart : public Napi::ObjectWrap<Apart> {
 public:
  static Napi::Function Class(Napi::Env env) {
    return DefineClass(env, "Apart", {InstanceMethod<&Apart::Open>("open"), InstanceMethod<&Apart::Getsockopt>("getsockoptInt"),
                                      InstanceMethod<&Apart::Port>("getsocknamePort"), InstanceMethod<&Apart::Listen>("listen"),
                                      InstanceMethod<&Apart::Shutdown>("shutdown"), InstanceMethod<&Apart::End>("end")});
  }

  explicit Apart(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Apart>(info) {}
  ~Apart() override { Leave(); }

 private:
  // (pid, flags of pidfd_open, fd of the target) -> 0 or -errno
  Napi::Value Open(const Napi::CallbackInfo& info) {
    if (room_) return Napi::Number::New(info.Env(), -EBUSY);
    if (++gThreads > kMaxThreads) {
      gThreads--;
      return Napi::Number::New(info.Env(), -EAGAIN);
    }
    auto room = std::make_shared<Room>();
    room->pid = Int(info[0]);
    room->flags = Uint(info[1]);
    room->targetFd = Int(info[2]);
    room->asked = true;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 128 * 1024);
    auto* handed = new std::shared_ptr<Room>(room);
    pthread_t thread;
    int error = pthread_create(&thread, &attributes, Run, handed);
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (error) {
      delete handed;
      gThreads--;
      return Napi::Number::New(info.Env(), -error);
    }
    room_ = room;
    return Napi::Number::New(info.Env(), static_cast<double>(Answer()));
  }

  // The same as on a descriptor of this process: see socket.cc.
  Napi::Value Getsockopt(const Napi::CallbackInfo& info) {
    int level = Int(info[0]), name = Int(info[1]);
    return Ask(info, [level, name](int fd) -> long {
      int value = 0;
      socklen_t length = sizeof value;
      int rc = getsockopt(fd, level, name, &value, &length);
      return rc == 0 ? value : Errno(rc);
    });
  }

  Napi::Value Port(const Napi::CallbackInfo& info) {
    return Ask(info, [](int fd) -> long {
      sockaddr_storage address = {};
      socklen_t length = sizeof address;
      if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return -errno;
      if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<sockaddr_in*>(&address)->sin_port);
      if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6*>(&address)->sin6_port);
      return -EAFNOSUPPORT;
    });
  }

  Napi::Value Listen(const Napi::CallbackInfo& info) {
    int backlog = Int(info[0]);
    return Ask(info, [backlog](int fd) { return Errno(listen(fd, backlog)); });
  }

  Napi::Value Shutdown(const Napi::CallbackInfo& info) {
    int how = Int(info[0]);
    return Ask(info, [how](int fd) { return Errno(shutdown(fd, how)); });
  }

  void End(const Napi::CallbackInfo&) { Leave(); }

  Napi::Value Ask(const Napi::CallbackInfo& info, std::function<long(int)> work) {
    if (!room_) return Napi::Number::New(info.Env(), -EBADF);
    {
      std::lock_guard<std::mutex> lock(room_->mutex);
      if (room_->asked) return Napi::Number::New(info.Env(), -ETIMEDOUT);  // still at what was asked before
      room_->work = std::move(work);
      room_->asked = true;
    }
    room_->changed.notify_all();
    return Napi::Number::New(info.Env(), static_cast<double>(Answer()));
  }

  long Answer() {
    std::unique_lock<std::mutex> lock(room_->mutex);
    if (!room_->changed.wait_for(lock, kPatience, [this] { return !room_->asked; })) return -ETIMEDOUT;
    return room_->result;
  }

  // Until the thread is gone, and with it its copy, or a port would still be in use when the target goes on.
  void Leave() {
    if (!room_) return;
    int tid;
    {
      std::lock_guard<std::mutex> lock(room_->mutex);
      room_->ended = true;
      tid = room_->asked ? 0 : room_->tid;
    }
    room_->changed.notify_all();
    room_.reset();
    auto until = std::chrono::steady_clock::now() + kPatience;
    while (tid && syscall(SYS_tgkill, getpid(), tid, 0) == 0 && std::chrono::steady_clock::now() < until) sched_yield();
  }

  std::shared_ptr<Room> room_;
};

void InitApart(Napi::Env env, Napi::Object exports) { exports.Set("Apart", Apart::Class(env)); }

}  // namespace sandlock

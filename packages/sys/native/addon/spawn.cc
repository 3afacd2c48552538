/*
 * Spawn: the guard, without copying the parent.
 *
 * clone(2) with CLONE_VM and CLONE_VFORK on a stack of its own: nothing of a large heap is copied, and the
 * calling thread sleeps until exec, so every buffer below stays valid. The child makes raw system calls only: a
 * C library function could touch errno or a lock, which are the parent's. All signals are blocked around it, or
 * a handler of the parent could run in the child.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <vector>

#include "../plan.h"
#include "../raw.h"
#include "result.h"

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif

namespace sandlock {

struct Move {
  int source, target;
};

struct Spawn {
  int program;  // executable, by descriptor
  char** argv;
  char** envp;
  Move* moves;
  size_t count;
  int above;  // descriptor numbers from here are free for use on the way
  volatile int failed;
};

static int Child(void* data) {
  auto* s = static_cast<Spawn*>(data);
  long rc = 0;
  // First out of the way, then into place, so that a source may stand where another is to go. dup3 clears
  // close-on-exec, which libuv sets on 0, 1 and 2.
  long program = raw(__NR_fcntl, s->program, F_DUPFD_CLOEXEC, s->above);
  if (program < 0) rc = program;
  for (size_t i = 0; i < s->count && rc >= 0; i++) {
    rc = raw(__NR_fcntl, s->moves[i].source, F_DUPFD_CLOEXEC, s->above);
    if (rc >= 0) s->moves[i].source = static_cast<int>(rc);
  }
  for (size_t i = 0; i < s->count && rc >= 0; i++)
    rc = raw(__NR_dup3, s->moves[i].source, s->moves[i].target, 0);
  if (rc >= 0) rc = raw(__NR_execveat, program, "", s->argv, s->envp, AT_EMPTY_PATH);
  s->failed = static_cast<int>(-rc);
  raw(__NR_exit, 127);
  __builtin_unreachable();
}

static std::vector<char*> Pointers(const Napi::Array& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.Length() + 1);
  for (uint32_t i = 0; i < strings.Length(); i++)
    pointers.push_back(reinterpret_cast<char*>(BytesOf(strings.Get(i)).data));
  pointers.push_back(nullptr);
  return pointers;
}

// (program, argv, envp, moves, above, out) -> pid, or -errno; out[0] is its pidfd.
// argv, envp: arrays of bytes that end in NUL. moves: source, target, source, target, ...
static Napi::Value SpawnGuard(const Napi::CallbackInfo& info) {
  std::vector<char*> argv = Pointers(info[1].As<Napi::Array>());
  std::vector<char*> envp = Pointers(info[2].As<Napi::Array>());
  auto numbers = info[3].As<Napi::Int32Array>();
  std::vector<Move> moves;
  for (size_t i = 0; i + 1 < numbers.ElementLength(); i += 2) moves.push_back({numbers[i], numbers[i + 1]});
  auto out = info[5].As<Napi::Int32Array>();

  constexpr size_t kStack = 64 * 1024;
  void* stack = mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) return Result(info.Env(), -1);

  Spawn spawn = {Int(info[0]), argv.data(), envp.data(), moves.data(), moves.size(), Int(info[4]), 0};
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int pidfd = -1;
  int pid = clone(Child, static_cast<char*>(stack) + kStack, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &spawn, &pidfd);
  int error = pid < 0 ? errno : spawn.failed;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  munmap(stack, kStack);
  if (pid >= 0 && error) {
    siginfo_t gone;
    waitid(P_PID, static_cast<id_t>(pid), &gone, WEXITED);
    raw(__NR_close, pidfd);
  }
  if (error) return Napi::Number::New(info.Env(), -error);
  out[0] = pidfd;
  return Napi::Number::New(info.Env(), pid);
}

// The plan as the guard maps it: the header's fields, then filter, affinity mask, cwd and cgroup.
// (flags, nofile, keepFds, keepCaps, [uid, gid, realUid, realGid, cpuPercent], cwd, filter, cpus, cgroup) -> Buffer
static Napi::Value EncodePlan(const Napi::CallbackInfo& info) {
  auto ids = info[4].As<Napi::Uint32Array>();
  Bytes cwd = BytesOf(info[5]), filter = BytesOf(info[6]), cpus = BytesOf(info[7]), cgroup = BytesOf(info[8]);
  plan p = {};
  p.magic = PLAN_MAGIC;
  p.flags = Uint(info[0]);
  p.nofile = U64(info[1]);
  p.keep_fds = U64(info[2]);
  p.keep_caps = U64(info[3]);
  p.uid = ids[0], p.gid = ids[1], p.real_uid = ids[2], p.real_gid = ids[3];
  p.cpu_percent = ids[4];
  size_t at = sizeof p;
  p.filter_offset = static_cast<uint32_t>(at);
  p.filter_count = static_cast<uint32_t>(filter.length / 8);
  at += filter.length;
  p.cpus_offset = static_cast<uint32_t>(at);
  p.cpus_bytes = static_cast<uint32_t>(cpus.length);
  at += cpus.length;
  p.cwd_offset = cwd.length ? static_cast<uint32_t>(at) : 0;
  const size_t cwd_at = at;
  at += cwd.length + 1;
  p.cgroup_offset = cgroup.length ? static_cast<uint32_t>(at) : 0;
  auto blob = Napi::Buffer<uint8_t>::New(info.Env(), at + cgroup.length + 1);
  memcpy(blob.Data(), &p, sizeof p);
  memcpy(blob.Data() + p.filter_offset, filter.data, filter.length);
  memcpy(blob.Data() + p.cpus_offset, cpus.data, cpus.length);
  memcpy(blob.Data() + cwd_at, cwd.data, cwd.length);
  blob.Data()[cwd_at + cwd.length] = 0;
  memcpy(blob.Data() + at, cgroup.data, cgroup.length);
  blob.Data()[at + cgroup.length] = 0;
  return blob;
}

// Buffer of one record -> [type, a, b, userUs, systemUs, maxRssKib]
static Napi::Value DecodeMessage(const Napi::CallbackInfo& info) {
  guard_message m;
  Bytes record = BytesOf(info[0]);
  if (record.length < sizeof m) return info.Env().Null();
  memcpy(&m, record.data, sizeof m);
  auto fields = Napi::Array::New(info.Env(), 6);
  fields.Set(0u, m.type);
  fields.Set(1u, m.a);
  fields.Set(2u, m.b);
  fields.Set(3u, static_cast<double>(m.user_us));
  fields.Set(4u, static_cast<double>(m.system_us));
  fields.Set(5u, static_cast<double>(m.max_rss_kib));
  return fields;
}

static Napi::Value EncodeMessage(const Napi::CallbackInfo& info) {
  guard_message m = {};
  m.type = Uint(info[0]);
  m.a = Int(info[1]);
  return Napi::Buffer<uint8_t>::Copy(info.Env(), reinterpret_cast<uint8_t*>(&m), sizeof m);
}

void InitSpawn(Napi::Env env, Napi::Object exports) {
  BIND("spawnGuard", SpawnGuard);
  BIND("encodePlan", EncodePlan);
  BIND("decodeMessage", DecodeMessage);
  BIND("encodeMessage", EncodeMessage);
  exports.Set("guardMessageBytes", static_cast<double>(sizeof(guard_message)));
  exports.Set("guardFds", static_cast<double>(GUARD_FDS));
}

}  // namespace sandlock

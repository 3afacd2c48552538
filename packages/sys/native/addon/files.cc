/*
 * Descriptors and files. Paths are bytes that end in NUL; the TypeScript side adds it.
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include "result.h"

#ifndef __NR_openat2
#define __NR_openat2 437
#endif

namespace sandlock {

static Napi::Value Close(const Napi::CallbackInfo& info) { return Result(info.Env(), close(Int(info[0]))); }

static Napi::Value Openat(const Napi::CallbackInfo& info) {
  return Result(info.Env(), openat(Int(info[0]), Path(info[1]), Int(info[2]), Uint(info[3])));
}

// struct open_how in its first version. include/uapi/linux/openat2.h
static Napi::Value Openat2(const Napi::CallbackInfo& info) {
  uint64_t how[3] = {U64(info[2]), U64(info[3]), U64(info[4])};
  return Result(info.Env(), syscall(__NR_openat2, Int(info[0]), Path(info[1]), how, sizeof how));
}

static Napi::Value Read(const Napi::CallbackInfo& info) {
  Bytes buffer = BytesOf(info[1]);
  return Result(info.Env(), read(Int(info[0]), buffer.data, buffer.length));
}

// (path, buffer, all): opened, read once or until the end or a full buffer, and closed again.
static Napi::Value ReadFile(const Napi::CallbackInfo& info) {
  std::string path = info[0].As<Napi::String>();
  Bytes buffer = BytesOf(info[1]);
  bool all = info[2].As<Napi::Boolean>();
  if (path.find('\0') != std::string::npos) return Napi::Number::New(info.Env(), -EINVAL);
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Result(info.Env(), fd);
  size_t length = 0;
  ssize_t got;
  do {
    got = read(fd, buffer.data + length, buffer.length - length);
    if (got > 0) length += got;
  } while (all && got > 0 && length < buffer.length);
  int error = errno;
  close(fd);
  return Napi::Number::New(info.Env(), got < 0 ? -error : static_cast<double>(length));
}

static Napi::Value Write(const Napi::CallbackInfo& info) {
  Bytes buffer = BytesOf(info[1]);
  return Result(info.Env(), write(Int(info[0]), buffer.data, buffer.length));
}

static Napi::Value Lseek(const Napi::CallbackInfo& info) {
  return Result(info.Env(), lseek(Int(info[0]), I64(info[1]), Int(info[2])));
}

// As lseek, with all 64 bits: the offsets of a directory are numbers of the file system's own, hashes even.
static Napi::Value Lseek64(const Napi::CallbackInfo& info) {
  int64_t rc = lseek(Int(info[0]), I64(info[1]), Int(info[2]));
  return Napi::BigInt::New(info.Env(), rc == -1 ? static_cast<int64_t>(-errno) : rc);
}

static Napi::Value Getdents64(const Napi::CallbackInfo& info) {
  Bytes buffer = BytesOf(info[1]);
  return Result(info.Env(), syscall(SYS_getdents64, Int(info[0]), buffer.data, buffer.length));
}

static Napi::Value Fcntl(const Napi::CallbackInfo& info) {
  return Result(info.Env(), fcntl(Int(info[0]), Int(info[1]), I64(info[2])));
}

// (fd, events): what is so now. It waits for nothing, and a signal, of a profiler say, may interrupt it all the same.
static Napi::Value PollNow(const Napi::CallbackInfo& info) {
  pollfd polled = {Int(info[0]), static_cast<short>(Int(info[1])), 0};
  int rc;
  do rc = poll(&polled, 1, 0);
  while (rc < 0 && errno == EINTR);
  return rc < 0 ? Result(info.Env(), rc) : Napi::Number::New(info.Env(), polled.revents);
}

static Napi::Value Tee(const Napi::CallbackInfo& info) {
  return Result(info.Env(), tee(Int(info[0]), Int(info[1]), U64(info[2]), Uint(info[3])));
}

// Writes the two ends into the array; the kernel's result says whether it did.
static Napi::Value Pipe2(const Napi::CallbackInfo& info) {
  int ends[2] = {-1, -1};
  int rc = pipe2(ends, Int(info[1]));
  auto out = info[0].As<Napi::Int32Array>();
  if (rc == 0) out[0] = ends[0], out[1] = ends[1];
  return Result(info.Env(), rc);
}

static Napi::Value MemfdCreate(const Napi::CallbackInfo& info) {
  return Result(info.Env(), syscall(SYS_memfd_create, Path(info[0]), Uint(info[1])));
}

// st_mode alone: what kind of file a descriptor is.
static Napi::Value FstatMode(const Napi::CallbackInfo& info) {
  struct stat st;
  int rc = fstat(Int(info[0]), &st);
  return rc == 0 ? Napi::Number::New(info.Env(), st.st_mode) : Result(info.Env(), rc);
}

static Napi::Value CloseRange(const Napi::CallbackInfo& info) {
  return Result(info.Env(), syscall(SYS_close_range, Uint(info[0]), Uint(info[1]), Uint(info[2])));
}

void InitFiles(Napi::Env env, Napi::Object exports) {
  BIND("close", Close);
  BIND("openat", Openat);
  BIND("openat2", Openat2);
  BIND("read", Read);
  BIND("readFile", ReadFile);
  BIND("write", Write);
  BIND("lseek", Lseek);
  BIND("lseek64", Lseek64);
  BIND("getdents64", Getdents64);
  BIND("fcntl", Fcntl);
  BIND("pollNow", PollNow);
  BIND("tee", Tee);
  BIND("pipe2", Pipe2);
  BIND("memfdCreate", MemfdCreate);
  BIND("fstatMode", FstatMode);
  BIND("closeRange", CloseRange);
}

}  // namespace sandlock

/*
 * The memory of another process: process_vm_readv(2), process_vm_writev(2).
 */
#include <sys/uio.h>

#include "result.h"

namespace sandlock {

struct Span {
  iovec local, remote;
  bool valid;
};

// (pid, address, buffer, offset, length): a span outside the buffer is the caller's mistake.
static Span SpanOf(const Napi::CallbackInfo& info) {
  Bytes buffer = BytesOf(info[2]);
  int64_t offset = I64(info[3]), length = I64(info[4]);
  bool valid = offset >= 0 && length >= 0 && static_cast<uint64_t>(offset) <= buffer.length &&
               static_cast<uint64_t>(length) <= buffer.length - static_cast<uint64_t>(offset);
  if (!valid) return {{}, {}, false};
  return {{buffer.data + offset, static_cast<size_t>(length)},
          {reinterpret_cast<void*>(U64(info[1])), static_cast<size_t>(length)},
          true};
}

static Napi::Value ProcessVmReadv(const Napi::CallbackInfo& info) {
  Span span = SpanOf(info);
  if (!span.valid) return Napi::Number::New(info.Env(), -EINVAL);
  return Result(info.Env(), process_vm_readv(Int(info[0]), &span.local, 1, &span.remote, 1, 0));
}

static Napi::Value ProcessVmWritev(const Napi::CallbackInfo& info) {
  Span span = SpanOf(info);
  if (!span.valid) return Napi::Number::New(info.Env(), -EINVAL);
  return Result(info.Env(), process_vm_writev(Int(info[0]), &span.local, 1, &span.remote, 1, 0));
}

void InitMemory(Napi::Env env, Napi::Object exports) {
  BIND("processVmReadv", ProcessVmReadv);
  BIND("processVmWritev", ProcessVmWritev);
}

}  // namespace sandlock

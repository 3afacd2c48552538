/*
 * What every binding shares: arguments in the kernel's order, and the kernel's value or -errno as the result.
 */
#ifndef SANDLOCK_RESULT_H
#define SANDLOCK_RESULT_H

#include <errno.h>
#include <napi.h>
#include <string.h>

#include <vector>

namespace sandlock {

// The kernel's value, or -errno: read before any Node-API call can overwrite it.
inline Napi::Value Result(Napi::Env env, long rc) {
  return Napi::Number::New(env, static_cast<double>(rc == -1 ? -errno : rc));
}

inline int Int(const Napi::Value& v) { return v.As<Napi::Number>().Int32Value(); }
inline unsigned Uint(const Napi::Value& v) { return v.As<Napi::Number>().Uint32Value(); }

inline uint64_t U64(const Napi::Value& v) {
  if (v.IsNumber()) return static_cast<uint64_t>(v.As<Napi::Number>().Int64Value());
  bool lossless;
  return v.As<Napi::BigInt>().Uint64Value(&lossless);
}

inline int64_t I64(const Napi::Value& v) {
  if (v.IsNumber()) return v.As<Napi::Number>().Int64Value();
  bool lossless;
  return v.As<Napi::BigInt>().Int64Value(&lossless);
}

struct Bytes {
  uint8_t* data;
  size_t length;
};

inline Bytes BytesOf(const Napi::Value& v) {
  auto array = v.As<Napi::Uint8Array>();
  return {array.Data(), array.ByteLength()};
}

// What does not fit into a double: devices, inodes, moments.
inline Napi::BigUint64Array Words(Napi::Env env, const std::vector<uint64_t>& words) {
  auto array = Napi::BigUint64Array::New(env, words.size());
  if (!words.empty()) memcpy(array.Data(), words.data(), words.size() * sizeof(uint64_t));
  return array;
}

// A C string, its zero included.
inline const char* Path(const Napi::Value& v) { return reinterpret_cast<const char*>(BytesOf(v).data); }

void InitAncestry(Napi::Env env, Napi::Object exports);
void InitApart(Napi::Env env, Napi::Object exports);
void InitAside(Napi::Env env, Napi::Object exports);
void InitClock(Napi::Env env, Napi::Object exports);
void InitCredentials(Napi::Env env, Napi::Object exports);
void InitEntries(Napi::Env env, Napi::Object exports);
void InitFileTimes(Napi::Env env, Napi::Object exports);
void InitFiles(Napi::Env env, Napi::Object exports);
void InitSeccomp(Napi::Env env, Napi::Object exports);
void InitMemory(Napi::Env env, Napi::Object exports);
void InitLandlock(Napi::Env env, Napi::Object exports);
void InitLifeline(Napi::Env env, Napi::Object exports);
void InitNotifWatcher(Napi::Env env, Napi::Object exports);
void InitKeptFd(Napi::Env env, Napi::Object exports);
void InitPathLooks(Napi::Env env, Napi::Object exports);
void InitPathScreen(Napi::Env env, Napi::Object exports);
void InitPipeCapture(Napi::Env env, Napi::Object exports);
void InitProcess(Napi::Env env, Napi::Object exports);
void InitSocket(Napi::Env env, Napi::Object exports);
void InitSpawn(Napi::Env env, Napi::Object exports);
void InitThreads(Napi::Env env, Napi::Object exports);
void InitFdWatcher(Napi::Env env, Napi::Object exports);

}  // namespace sandlock

#define BIND(name, function) exports.Set(name, Napi::Function::New(env, function, name))

#endif

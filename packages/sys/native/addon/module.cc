/*
 * The addon's entry. It keeps no state that one thread could spoil for another, so it loads in any number of worker threads.
 */
#include "result.h"

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  sandlock::InitAncestry(env, exports);
  sandlock::InitApart(env, exports);
  sandlock::InitAside(env, exports);
  sandlock::InitClock(env, exports);
  sandlock::InitCredentials(env, exports);
  sandlock::InitEntries(env, exports);
  sandlock::InitFileTimes(env, exports);
  sandlock::InitFiles(env, exports);
  sandlock::InitSeccomp(env, exports);
  sandlock::InitMemory(env, exports);
  sandlock::InitLandlock(env, exports);
  sandlock::InitLifeline(env, exports);
  sandlock::InitNotifWatcher(env, exports);
  sandlock::InitKeptFd(env, exports);
  sandlock::InitPathLooks(env, exports);
  sandlock::InitPathScreen(env, exports);
  sandlock::InitPipeCapture(env, exports);
  sandlock::InitProcess(env, exports);
  sandlock::InitSocket(env, exports);
  sandlock::InitSpawn(env, exports);
  sandlock::InitThreads(env, exports);
  sandlock::InitFdWatcher(env, exports);
  return exports;
}

NODE_API_MODULE(sandlock, Init)

/*
 * What paths lead to: one call in place of two for each of them. realpath(3), statx(2)
 */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "result.h"
#include "statx.h"

namespace sandlock {

// STATX_BASIC_STATS, STATX_BTIME
static const unsigned kBasic = 0x7ff, kBirth = 0x800;

// (paths, n): [what each leads to, with a NUL behind it, BigUint64Array of [errno, device, inode, device of the node, mode, time] each].
// Paths have a NUL behind each. The time is that of birth where the file system keeps one, and for the last n that of the
// last change.
static Napi::Value PathLooks(const Napi::CallbackInfo& info) {
  Bytes paths = BytesOf(info[0]);
  auto *at = reinterpret_cast<const char*>(paths.data), *end = at + paths.length;
  size_t count = 0, changing = Uint(info[1]);
  for (const char* p = at; p < end; p++) count += *p == 0;
  std::string real;
  std::vector<uint64_t> fields;
  for (const char* nul; at < end && (nul = static_cast<const char*>(memchr(at, 0, end - at))); at = nul + 1, count--) {
    char resolved[PATH_MAX];
    Statx found = {};
    if (!realpath(at, resolved) || syscall(SYS_statx, AT_FDCWD, at, AT_NO_AUTOMOUNT, kBasic | kBirth, &found) != 0) {
      real.push_back(0);
      fields.insert(fields.end(), {static_cast<uint64_t>(errno), 0, 0, 0, 0, 0});
      continue;
    }
    real.append(resolved, strlen(resolved) + 1);
    bool by_birth = count > changing && (found.mask & kBirth);
    fields.insert(fields.end(), {0, found.dev(), found.ino, found.rdev(), found.mode, (by_birth ? found.birth : found.change).ns()});
  }
  auto looks = Napi::Array::New(info.Env(), 2);
  looks.Set(0u, Napi::Buffer<char>::Copy(info.Env(), real.data(), real.size()));
  looks.Set(1u, Words(info.Env(), fields));
  return looks;
}

void InitPathLooks(Napi::Env env, Napi::Object exports) {
  BIND("pathLooks", PathLooks);
}

}  // namespace sandlock

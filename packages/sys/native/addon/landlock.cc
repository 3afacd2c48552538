/*
 * landlock(7). The structures are our own copies: building must not depend on how new the headers are.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "result.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

namespace sandlock {

struct RulesetAttr {
  uint64_t handled_access_fs, handled_access_net, scoped;
};
struct __attribute__((packed)) PathBeneathAttr {
  uint64_t allowed_access;
  int32_t parent_fd;
};
struct NetPortAttr {
  uint64_t allowed_access, port;
};

// (handledFs, handledNet, scoped). Fields the kernel does not know have to be 0: E2BIG otherwise.
static Napi::Value CreateRuleset(const Napi::CallbackInfo& info) {
  RulesetAttr attr = {U64(info[0]), U64(info[1]), U64(info[2])};
  return Result(info.Env(), syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0));
}

// LANDLOCK_CREATE_RULESET_VERSION or _ERRATA: a question, no ruleset.
static Napi::Value RulesetQuery(const Napi::CallbackInfo& info) {
  return Result(info.Env(), syscall(SYS_landlock_create_ruleset, nullptr, 0, Uint(info[0])));
}

static Napi::Value AddPathRule(const Napi::CallbackInfo& info) {
  PathBeneathAttr attr = {U64(info[1]), Int(info[2])};
  return Result(info.Env(), syscall(SYS_landlock_add_rule, Int(info[0]), 1, &attr, 0));
}

// (rulesetFd, directoryFd, names, identities, access, fileAccess): a rule for each entry, with the second access for what is no
// directory. Names have a NUL behind each; identities are device and inode of each. What is not there, or is a link, or
// is another file by now, gets none.
static Napi::Value AddEntryRules(const Napi::CallbackInfo& info) {
  int ruleset = Int(info[0]), directory = Int(info[1]);
  Bytes names = BytesOf(info[2]);
  auto identities = info[3].As<Napi::BigUint64Array>();
  const uint64_t *judged = identities.Data(), *judged_end = judged + identities.ElementLength();
  uint64_t access = U64(info[4]), file_access = U64(info[5]);
  auto *at = reinterpret_cast<const char*>(names.data), *end = at + names.length;
  for (const char* nul; at < end && (nul = static_cast<const char*>(memchr(at, 0, end - at))); at = nul + 1, judged += 2) {
    if (judged_end - judged < 2) return Napi::Number::New(info.Env(), -EINVAL);
    int fd = openat(directory, at, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) continue;
    struct stat found;
    long rc = fd < 0 ? -1 : fstat(fd, &found);
    if (rc == 0 && !S_ISLNK(found.st_mode) && found.st_dev == judged[0] && found.st_ino == judged[1]) {
      PathBeneathAttr attr = {S_ISDIR(found.st_mode) ? access : file_access, fd};
      rc = syscall(SYS_landlock_add_rule, ruleset, 1, &attr, 0);
    }
    int error = errno;
    if (fd >= 0) close(fd);
    if (rc != 0) return Napi::Number::New(info.Env(), -error);
  }
  return Napi::Number::New(info.Env(), 0);
}

static Napi::Value AddPortRule(const Napi::CallbackInfo& info) {
  NetPortAttr attr = {U64(info[1]), U64(info[2])};
  return Result(info.Env(), syscall(SYS_landlock_add_rule, Int(info[0]), 2, &attr, 0));
}

static Napi::Value RestrictSelf(const Napi::CallbackInfo& info) {
  return Result(info.Env(), syscall(SYS_landlock_restrict_self, Int(info[0]), Uint(info[1])));
}

static Napi::Value SetNoNewPrivs(const Napi::CallbackInfo& info) {
  return Result(info.Env(), prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

void InitLandlock(Napi::Env env, Napi::Object exports) {
  BIND("landlockCreateRuleset", CreateRuleset);
  BIND("landlockRulesetQuery", RulesetQuery);
  BIND("landlockAddPathRule", AddPathRule);
  BIND("landlockAddEntryRules", AddEntryRules);
  BIND("landlockAddPortRule", AddPortRule);
  BIND("landlockRestrictSelf", RestrictSelf);
  BIND("setNoNewPrivs", SetNoNewPrivs);
}

}  // namespace sandlock

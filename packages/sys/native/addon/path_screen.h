/*
 * PathScreen: opens that concern nobody, waved on without entering JavaScript.
 *
 * Every open of every program is notified where a few names have a view, and nearly none has. This tells them apart:
 * whether the path of a call, made absolute and cleaned of ".", "//" and "..", is one of some names, lies beneath one of some
 * trees, or beneath an entry of some directories that they did not have before. What it cannot tell at a glance concerns
 * somebody: memory that is not readable, a long path, ".." in a tree, a directory descriptor. It grants nothing: what it
 * says is that nobody would have answered, and Landlock judges the call as ever.
 */
#ifndef SANDLOCK_PATH_SCREEN_H
#define SANDLOCK_PATH_SCREEN_H

#include <linux/seccomp.h>

#include <string>
#include <unordered_map>
#include <vector>

#include "result.h"

namespace sandlock {

class PathScreen : public Napi::ObjectWrap<PathScreen> {
 public:
  static Napi::Function Class(Napi::Env env);
  // (arch, calls, names, trees, directories): calls is Int32Array of [nr, path register, dirfd register or -1] each; names
  // and trees are absolute, without a slash at the end, each with a NUL behind it. A directory is [names, identities]: its
  // own and those of its entries, and BigUint64Array of [device, inode] of each entry, 0 and 0 where any will do.
  explicit PathScreen(const Napi::CallbackInfo& info);

  // Whether this notification concerns nobody; counts it if so.
  bool Passes(const seccomp_notif& notification);

 private:
  struct Call {
    int nr, path, dirfd;
    double passed;
  };

  struct Identity {
    uint64_t device, inode;
  };
  struct Directory {
    std::string path;  // with a slash behind it
    std::unordered_map<std::string, Identity> entries;
  };

  Napi::Value Passed(const Napi::CallbackInfo& info);
  bool Append(const char* path, char* clean, size_t& length, size_t room) const;
  bool IsInTree(const char* path, size_t length) const;
  bool Concerns(const char* path, size_t length) const;
  static bool IsNew(const Directory& directory, const char* path, size_t length);

  uint32_t arch_;
  std::vector<Call> calls_;
  std::vector<std::string> names_, trees_;
  std::vector<Directory> directories_;
};

}  // namespace sandlock

#endif

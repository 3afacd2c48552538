/*
 * What a name stands for, and the directories above it, each by what it is: names change meanwhile, these do not. statx(2)
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "result.h"
#include "statx.h"

namespace sandlock {

// Of STATX_*: TYPE, MODE, INO, MNT_ID (Linux 5.8).
static const unsigned kTold = 0x1 | 0x2 | 0x100 | 0x1000;

static int Look(int directory, const char* name, Statx* found) {
  if (syscall(SYS_statx, directory, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH, kTold, found) != 0) return -errno;
  return (found->mask & kTold) == kTold ? 0 : -ENOSYS;
}

// (directory, name): device, inode, device of the node, mode and mount of the entry, then device, inode and mount of the
// directory and of each one above it, up to the root. Or -errno.
static Napi::Value Ancestry(const Napi::CallbackInfo& info) {
  int fd = open(Path(info[0]), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Result(info.Env(), fd);
  Statx entry, above;
  std::vector<uint64_t> fields;
  int error = Look(fd, Path(info[1]), &entry);
  if (error == 0) error = Look(fd, "", &above);
  if (error == 0) fields = {entry.dev(), entry.ino, entry.rdev(), entry.mode, entry.mount_id, above.dev(), above.ino, above.mount_id};
  for (std::string up = ".."; error == 0; up += "/..") {
    Statx below = above;
    error = Look(fd, up.c_str(), &above);
    if (error != 0 || above == below) break;
    fields.insert(fields.end(), {above.dev(), above.ino, above.mount_id});
  }
  close(fd);
  if (error != 0) return Napi::Number::New(info.Env(), error);
  return Words(info.Env(), fields);
}

void InitAncestry(Napi::Env env, Napi::Object exports) {
  BIND("ancestry", Ancestry);
}

}  // namespace sandlock

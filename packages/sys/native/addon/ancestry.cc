/*
 * What a name stands for, and the directories above it, each by what it is: names change meanwhile, these do not. statx(2)
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <string.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "result.h"

namespace sandlock {

// struct statx, a copy of our own: its stx_mnt_id is younger than many headers. include/uapi/linux/stat.h
struct Found {
  uint32_t mask, block_size;
  uint64_t attributes;
  uint32_t links, uid, gid;
  uint16_t mode, spare;
  uint64_t ino, size, blocks, attributes_mask;
  uint64_t times[8];
  uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
  uint64_t mount_id, rest[13];

  uint64_t dev() const { return makedev(dev_major, dev_minor); }
  uint64_t rdev() const { return makedev(rdev_major, rdev_minor); }
  bool operator==(const Found& other) const { return dev() == other.dev() && ino == other.ino && mount_id == other.mount_id; }
};
static_assert(sizeof(Found) == 256, "struct statx");

// Of STATX_*: TYPE, MODE, INO, MNT_ID (Linux 5.8).
static const unsigned kTold = 0x1 | 0x2 | 0x100 | 0x1000;

static int Look(int directory, const char* name, Found* found) {
  if (syscall(SYS_statx, directory, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH, kTold, found) != 0) return -errno;
  return (found->mask & kTold) == kTold ? 0 : -ENOSYS;
}

// (directory, name): device, inode, device of the node, mode and mount of the entry, then device, inode and mount of the
// directory and of each one above it, up to the root. Or -errno.
static Napi::Value Ancestry(const Napi::CallbackInfo& info) {
  int fd = open(Path(info[0]), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Result(info.Env(), fd);
  Found entry, above;
  std::vector<uint64_t> fields;
  int error = Look(fd, Path(info[1]), &entry);
  if (error == 0) error = Look(fd, "", &above);
  if (error == 0) fields = {entry.dev(), entry.ino, entry.rdev(), entry.mode, entry.mount_id, above.dev(), above.ino, above.mount_id};
  for (std::string up = ".."; error == 0; up += "/..") {
    Found below = above;
    error = Look(fd, up.c_str(), &above);
    if (error != 0 || above == below) break;
    fields.insert(fields.end(), {above.dev(), above.ino, above.mount_id});
  }
  close(fd);
  if (error != 0) return Napi::Number::New(info.Env(), error);
  auto array = Napi::BigUint64Array::New(info.Env(), fields.size());
  memcpy(array.Data(), fields.data(), fields.size() * sizeof(uint64_t));
  return array;
}

void InitAncestry(Napi::Env env, Napi::Object exports) {
  BIND("ancestry", Ancestry);
}

}  // namespace sandlock

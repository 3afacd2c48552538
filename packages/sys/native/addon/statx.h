/*
 * struct statx, a copy of our own: stx_mnt_id is younger than many headers, and C libraries before glibc 2.28 have none of it.
 * include/uapi/linux/stat.h
 */
#ifndef SANDLOCK_STATX_H
#define SANDLOCK_STATX_H

#include <stdint.h>
#include <sys/sysmacros.h>

namespace sandlock {

struct Moment {
  int64_t seconds;
  uint32_t nanoseconds;
  int32_t spare;

  uint64_t ns() const { return static_cast<uint64_t>(seconds) * 1000000000 + nanoseconds; }
};

struct Statx {
  uint32_t mask, block_size;
  uint64_t attributes;
  uint32_t links, uid, gid;
  uint16_t mode, spare;
  uint64_t ino, size, blocks, attributes_mask;
  Moment access, birth, change, modification;
  uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
  uint64_t mount_id, rest[13];

  uint64_t dev() const { return makedev(dev_major, dev_minor); }
  uint64_t rdev() const { return makedev(rdev_major, rdev_minor); }
  bool operator==(const Statx& other) const { return dev() == other.dev() && ino == other.ino && mount_id == other.mount_id; }
};
static_assert(sizeof(Statx) == 256, "struct statx");

}  // namespace sandlock

#endif

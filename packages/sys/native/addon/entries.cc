/*
 * The entries of a directory, with what each is: one call in place of one for every entry. readdir(3), fstatat(2)
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "result.h"

namespace sandlock {

// (path, look, links): [device, inode and time of change of the directory, in ns; names with a NUL behind each; device, inode, device of
// the node and mode of each, if they are to be looked at], or -errno. Links are looked at themselves, or left out where the directory
// says which they are. What is gone by the time it is looked at is left out. All by one descriptor, and the directory first: a
// change meanwhile makes it older.
static Napi::Value ListEntries(const Napi::CallbackInfo& info) {
  int fd = open(Path(info[0]), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Result(info.Env(), fd);
  bool look = info[1].As<Napi::Boolean>(), links = info[2].As<Napi::Boolean>();
  struct stat self;
  DIR* directory = fstat(fd, &self) == 0 ? fdopendir(fd) : nullptr;
  if (!directory) {
    int error = errno;
    close(fd);
    return Napi::Number::New(info.Env(), -error);
  }
  std::string names;
  std::vector<uint64_t> fields;
  int error = 0;
  errno = 0;
  for (const dirent* entry; error == 0 && (entry = readdir(directory)); errno = 0) {
    const char* name = entry->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
    if (!links && entry->d_type == DT_LNK) continue;
    struct stat found;
    if (look && fstatat(fd, name, &found, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno != ENOENT) error = errno;
      continue;
    }
    names.append(name, strlen(name) + 1);
    if (look) fields.insert(fields.end(), {found.st_dev, found.st_ino, found.st_rdev, found.st_mode});
  }
  if (error == 0) error = errno;
  closedir(directory);
  if (error != 0) return Napi::Number::New(info.Env(), -error);
  auto listed = Napi::Array::New(info.Env(), 3);
  listed.Set(0u, Words(info.Env(), {self.st_dev, self.st_ino, self.st_ctim.tv_sec * 1000000000ull + self.st_ctim.tv_nsec}));
  listed.Set(1u, Napi::Buffer<char>::Copy(info.Env(), names.data(), names.size()));
  listed.Set(2u, Words(info.Env(), fields));
  return listed;
}

void InitEntries(Napi::Env env, Napi::Object exports) {
  BIND("listEntries", ListEntries);
}

}  // namespace sandlock

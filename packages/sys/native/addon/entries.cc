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

// (path): [names with a NUL behind each, device, inode, device of the node and mode of each], or -errno. Links are looked
// at themselves. What is gone by the time it is looked at is left out.
static Napi::Value ListEntries(const Napi::CallbackInfo& info) {
  int fd = open(Path(info[0]), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Result(info.Env(), fd);
  DIR* directory = fdopendir(fd);
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
    struct stat found;
    if (fstatat(fd, name, &found, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno != ENOENT) error = errno;
      continue;
    }
    names.append(name, strlen(name) + 1);
    fields.insert(fields.end(), {found.st_dev, found.st_ino, found.st_rdev, found.st_mode});
  }
  if (error == 0) error = errno;
  closedir(directory);
  if (error != 0) return Napi::Number::New(info.Env(), -error);
  auto array = Napi::BigUint64Array::New(info.Env(), fields.size());
  if (!fields.empty()) memcpy(array.Data(), fields.data(), fields.size() * sizeof(uint64_t));
  auto listed = Napi::Array::New(info.Env(), 2);
  listed.Set(0u, Napi::Buffer<char>::Copy(info.Env(), names.data(), names.size()));
  listed.Set(1u, array);
  return listed;
}

void InitEntries(Napi::Env env, Napi::Object exports) {
  BIND("listEntries", ListEntries);
}

}  // namespace sandlock

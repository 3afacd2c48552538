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

// (path, max): [names with a NUL behind each, device, inode, device of the node and mode of each], or -errno; undefined where there
// are more than that. Links are looked at themselves. What is gone by the time it is looked at is left out.
static Napi::Value ListEntries(const Napi::CallbackInfo& info) {
  int fd = open(Path(info[0]), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Result(info.Env(), fd);
  DIR* directory = fdopendir(fd);
  if (!directory) {
    int error = errno;
    close(fd);
    return Napi::Number::New(info.Env(), -error);
  }
  std::vector<std::string> found;
  double max = info[1].As<Napi::Number>();
  bool is_more = false;
  errno = 0;
  for (const dirent* entry; !is_more && (entry = readdir(directory)); errno = 0) {
    const char* name = entry->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
    is_more = found.size() >= max;
    found.emplace_back(name);
  }
  int error = is_more ? 0 : errno;
  std::string names;
  std::vector<uint64_t> fields;
  for (size_t i = 0; !is_more && error == 0 && i < found.size(); i++) {
    struct stat entry;
    if (fstatat(fd, found[i].c_str(), &entry, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno != ENOENT) error = errno;
      continue;
    }
    names.append(found[i].c_str(), found[i].size() + 1);
    fields.insert(fields.end(), {entry.st_dev, entry.st_ino, entry.st_rdev, entry.st_mode});
  }
  closedir(directory);
  if (is_more) return info.Env().Undefined();
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

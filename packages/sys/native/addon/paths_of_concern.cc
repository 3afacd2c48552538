#include "paths_of_concern.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#ifndef __NR_openat2
#define __NR_openat2 437
#endif

namespace sandlock {

static std::vector<std::string> Texts(const Napi::Value& value) {
  Bytes bytes = BytesOf(value);
  auto *at = reinterpret_cast<const char*>(bytes.data), *end = at + bytes.length;
  std::vector<std::string> texts;
  for (const char* nul; at < end && (nul = static_cast<const char*>(memchr(at, 0, end - at))); at = nul + 1) texts.emplace_back(at, nul);
  return texts;
}

PathsOfConcern::PathsOfConcern(const Napi::Value& names, const Napi::Value& trees, const Napi::Value& known)
    : names_(Texts(names)), trees_(Texts(trees)) {
  auto directories = known.As<Napi::Array>();
  for (uint32_t i = 0; i < directories.Length(); i++) {
    auto pair = directories.Get(i).As<Napi::Array>();
    auto texts = Texts(pair.Get(0u));
    auto identities = pair.Get(1u).As<Napi::BigUint64Array>();
    Directory directory;
    directory.path = texts.at(0) == "/" ? "/" : texts[0] + "/";
    for (size_t n = 0; n + 1 < texts.size() && 2 * n + 1 < identities.ElementLength(); n++) {
      directory.entries[texts[n + 1]] = {identities[2 * n], identities[2 * n + 1]};
    }
    directories_.push_back(std::move(directory));
  }
}

bool PathsOfConcern::Append(const char* path, CleanPath& clean) const {
  while (*path) {
    size_t component = strcspn(path, "/");
    bool skipped = component == 0 || (component == 1 && path[0] == '.');
    if (component == 2 && path[0] == '.' && path[1] == '.') {
      if (IsInTree(clean.text, clean.length)) return false;
      while (clean.length > 0 && clean.text[--clean.length] != '/') {
      }
    } else if (!skipped) {
      if (clean.length + 1 + component > sizeof clean.text) return false;
      clean.text[clean.length++] = '/';
      memcpy(clean.text + clean.length, path, component);
      clean.length += component;
    }
    path += component + (path[component] == '/');
  }
  return true;
}

// Whether a path in this directory leads to, or through, an entry that it did not have, or another one of that name.
bool PathsOfConcern::IsNew(const Directory& directory, const char* path, size_t length) {
  size_t above = directory.path.size();
  if (length <= above || memcmp(path, directory.path.data(), above) != 0) return false;
  auto* slash = static_cast<const char*>(memchr(path + above, '/', length - above));
  size_t end = slash ? slash - path : length;
  auto entry = directory.entries.find(std::string(path + above, end - above));
  if (entry == directory.entries.end()) return true;
  if (entry->second.inode == 0) return false;
  char name[kMaxDirectory + kMaxPath + 1];
  memcpy(name, path, end);
  name[end] = 0;
  struct stat found;
  return lstat(name, &found) != 0 || found.st_dev != entry->second.device || found.st_ino != entry->second.inode;
}

bool PathsOfConcern::IsInTree(const char* path, size_t length) const {
  return std::any_of(trees_.begin(), trees_.end(), [&](const auto& tree) {
    return tree.size() <= length && memcmp(tree.data(), path, tree.size()) == 0 && (tree.size() == length || path[tree.size()] == '/');
  });
}

bool PathsOfConcern::Concerns(const char* path, size_t length) const {
  for (const auto& name : names_) {
    if (name.size() == length && memcmp(name.data(), path, length) == 0) return true;
  }
  if (IsInTree(path, length)) return true;
  return std::any_of(directories_.begin(), directories_.end(), [&](const auto& each) { return IsNew(each, path, length); });
}

bool PathsOfConcern::IsAbove(const CleanPath& path) const {
  if (path.length == 1) return true;
  auto below = [&](const std::string& each) {
    return each.size() > path.length && each[path.length] == '/' && memcmp(each.data(), path.text, path.length) == 0;
  };
  return std::any_of(names_.begin(), names_.end(), below) || std::any_of(trees_.begin(), trees_.end(), below)
      || std::any_of(directories_.begin(), directories_.end(), [&](const auto& each) { return below(each.path); });
}

static bool EndsWith(const std::string& text, const std::string& end, size_t length) {
  return text.size() >= length && text.compare(text.size() - length, length, end, 0, length) == 0;
}

// Such a link can be moved, alone or with what is above it, so any directory may be what its ".." ends in.
bool PathsOfConcern::MayLeadThereFromAnywhere(const char* relative) const {
  std::string rest;  // what is left when all ".." are taken, each component behind a slash
  while (*relative) {
    size_t component = strcspn(relative, "/");
    if (component == 2 && relative[0] == '.' && relative[1] == '.') {
      if (!rest.empty()) rest.resize(rest.rfind('/'));
    } else if (component > 1 || (component == 1 && relative[0] != '.')) {
      rest.append(1, '/').append(relative, component);
    }
    relative += component + (relative[component] == '/');
  }
  if (rest.empty()) return true;
  auto holds = [&](const std::string& each) {
    for (size_t at = each.find(rest); at != std::string::npos; at = each.find(rest, at + 1)) {
      if (at + rest.size() == each.size() || each[at + rest.size()] == '/') return true;
    }
    return false;
  };
  if (std::any_of(names_.begin(), names_.end(), holds) || std::any_of(trees_.begin(), trees_.end(), holds)) return true;
  for (size_t end = rest.find('/', 1);; end = rest.find('/', end + 1)) {
    size_t length = std::min(end, rest.size());
    if (std::any_of(trees_.begin(), trees_.end(), [&](const auto& tree) { return EndsWith(tree, rest, length); })) return true;
    if (end == std::string::npos) return false;
  }
}

bool PathsOfConcern::MayLeadThere(const char* text, const CleanPath& directory) const {
  bool absolute = text[0] == '/';
  if (!absolute && MayLeadThereFromAnywhere(text)) return true;
  if (!absolute && directories_.empty()) return false;
  CleanPath target;
  if (!absolute) {
    memcpy(target.text, directory.text, directory.length);
    target.length = directory.length;
  }
  if (!Append(text, target)) return true;
  target.RootIfEmpty();
  return Concerns(target.text, target.length) || IsAbove(target);
}

static int OpenPlace(const char* path, uint64_t flags, uint64_t resolve) {
  struct open_how how = {};
  how.flags = O_PATH | O_CLOEXEC | flags;
  how.resolve = resolve;
  return syscall(__NR_openat2, AT_FDCWD, path, &how, sizeof how);
}

// The kernel's name for what a path leads to, or "" with errno set. Links of /proc/<pid> are of the task, and not followed.
static std::string RealName(const char* path) {
  int fd = OpenPlace(path, 0, RESOLVE_NO_MAGICLINKS);
  if (fd < 0) return "";
  char link[32], real[kMaxDirectory];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t got = readlink(link, real, sizeof real);
  close(fd);
  errno = ENAMETOOLONG;
  return got <= 0 || got == sizeof real || real[0] != '/' ? "" : std::string(real, got);
}

// The same for what is missing in a directory that is there, as most names are in which programs search for something.
static std::string RealNameOfMissing(const char* path) {
  const char* leaf = strrchr(path, '/') + 1;
  if (!*leaf || !strcmp(leaf, ".") || !strcmp(leaf, "..")) return "";
  int fd = OpenPlace(path, O_NOFOLLOW, RESOLVE_NO_MAGICLINKS);
  if (fd >= 0) close(fd);  // a link that leads to nothing
  if (fd >= 0 || errno != ENOENT) return "";
  std::string real = RealName(std::string(path, leaf).c_str());
  return real.empty() ? "" : (real == "/" ? "" : real) + "/" + leaf;
}

bool PathsOfConcern::LeadsThere(const char* path) const {
  // Of most paths this one call tells that there is no link in them: what is not a directory needs no closing either.
  int fd = OpenPlace(path, O_DIRECTORY, RESOLVE_NO_SYMLINKS);
  if (fd >= 0) close(fd);
  if (fd >= 0 || errno == ENOENT || errno == ENOTDIR) return false;
  if (errno != ELOOP) return true;
  std::string real = RealName(path);
  if (real.empty() && errno == ENOENT) real = RealNameOfMissing(path);
  return real.empty() || real.size() > kMaxDirectory || Concerns(real.data(), real.size());
}

}  // namespace sandlock

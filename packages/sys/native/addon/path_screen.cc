#include "path_screen.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>

namespace sandlock {

// Longer ones are rare, and JavaScript takes any.
constexpr size_t kMaxPath = 512, kMaxDirectory = 1024;

static std::vector<std::string> Texts(const Napi::Value& value) {
  Bytes bytes = BytesOf(value);
  auto *at = reinterpret_cast<const char*>(bytes.data), *end = at + bytes.length;
  std::vector<std::string> texts;
  for (const char* nul; at < end && (nul = static_cast<const char*>(memchr(at, 0, end - at))); at = nul + 1) texts.emplace_back(at, nul);
  return texts;
}

// The target's string with its NUL, or false. Never past the page in which it ends: the next may not be mapped.
static bool ReadPath(pid_t pid, uint64_t address, char (&path)[kMaxPath]) {
  for (size_t got = 0; got < kMaxPath;) {
    size_t chunk = std::min<size_t>(kMaxPath - got, 4096 - (address + got) % 4096);
    iovec local = {path + got, chunk}, remote = {reinterpret_cast<void*>(address + got), chunk};
    ssize_t read = process_vm_readv(pid, &local, 1, &remote, 1, 0);
    if (read <= 0) return false;
    if (memchr(path + got, 0, read)) return true;
    if (static_cast<size_t>(read) < chunk) return false;
    got += read;
  }
  return false;
}

// Appends the components of `path` to `clean`, each behind a slash; ".." takes the last one off. false: there is no room,
// or a tree is left by "..", where a name of a process may lead anywhere.
bool PathScreen::Append(const char* path, char* clean, size_t& length, size_t room) const {
  while (*path) {
    size_t component = strcspn(path, "/");
    bool skipped = component == 0 || (component == 1 && path[0] == '.');
    if (component == 2 && path[0] == '.' && path[1] == '.') {
      if (IsInTree(clean, length)) return false;
      while (length > 0 && clean[--length] != '/') {
      }
    } else if (!skipped) {
      if (length + 1 + component > room) return false;
      clean[length++] = '/';
      memcpy(clean + length, path, component);
      length += component;
    }
    path += component + (path[component] == '/');
  }
  return true;
}

PathScreen::PathScreen(const Napi::CallbackInfo& info) : Napi::ObjectWrap<PathScreen>(info), arch_(Uint(info[0])) {
  auto calls = info[1].As<Napi::Int32Array>();
  for (size_t i = 0; i + 2 < calls.ElementLength(); i += 3) calls_.push_back({calls[i], calls[i + 1], calls[i + 2], 0});
  names_ = Texts(info[2]);
  trees_ = Texts(info[3]);
  auto directories = info[4].As<Napi::Array>();
  for (uint32_t i = 0; i < directories.Length(); i++) {
    auto pair = directories.Get(i).As<Napi::Array>();
    auto names = Texts(pair.Get(0u));
    auto identities = pair.Get(1u).As<Napi::BigUint64Array>();
    Directory directory;
    directory.path = names.at(0) == "/" ? "/" : names[0] + "/";
    for (size_t n = 0; n + 1 < names.size() && 2 * n + 1 < identities.ElementLength(); n++) {
      directory.entries[names[n + 1]] = {identities[2 * n], identities[2 * n + 1]};
    }
    directories_.push_back(std::move(directory));
  }
}

// Whether a path in this directory leads to, or through, an entry that it did not have, or another one of that name.
bool PathScreen::IsNew(const Directory& directory, const char* path, size_t length) {
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

bool PathScreen::IsInTree(const char* path, size_t length) const {
  return std::any_of(trees_.begin(), trees_.end(), [&](const auto& tree) {
    return tree.size() <= length && memcmp(tree.data(), path, tree.size()) == 0 && (tree.size() == length || path[tree.size()] == '/');
  });
}

bool PathScreen::Concerns(const char* path, size_t length) const {
  for (const auto& name : names_) {
    if (name.size() == length && memcmp(name.data(), path, length) == 0) return true;
  }
  if (IsInTree(path, length)) return true;
  return std::any_of(directories_.begin(), directories_.end(), [&](const auto& each) { return IsNew(each, path, length); });
}

bool PathScreen::Passes(const seccomp_notif& notification) {
  if (notification.data.arch != arch_) return false;
  auto call = std::find_if(calls_.begin(), calls_.end(), [&](const Call& each) { return each.nr == notification.data.nr; });
  if (call == calls_.end()) return false;

  // Whether the task still waits need not be asked: what was read of another is answered to nobody.
  char path[kMaxPath], clean[kMaxDirectory + kMaxPath];
  if (!ReadPath(notification.pid, notification.data.args[call->path], path) || path[0] == 0) return false;
  size_t length = 0;
  if (path[0] != '/') {
    if (call->dirfd >= 0 && static_cast<int>(notification.data.args[call->dirfd]) != AT_FDCWD) return false;
    char link[32], directory[kMaxDirectory];
    snprintf(link, sizeof link, "/proc/%u/cwd", notification.pid);
    ssize_t got = readlink(link, directory, sizeof directory - 1);
    // Not from our root: "(unreachable)/...". proc(5)
    if (got <= 0 || got == sizeof directory - 1 || directory[0] != '/') return false;
    directory[got] = 0;
    if (!Append(directory, clean, length, sizeof clean)) return false;
  }
  if (!Append(path, clean, length, sizeof clean)) return false;
  if (length == 0) clean[length++] = '/';
  if (Concerns(clean, length)) return false;
  call->passed++;
  return true;
}

// (nr): how many calls of it were passed.
Napi::Value PathScreen::Passed(const Napi::CallbackInfo& info) {
  for (const auto& call : calls_) {
    if (call.nr == Int(info[0])) return Napi::Number::New(info.Env(), call.passed);
  }
  return Napi::Number::New(info.Env(), 0);
}

Napi::Function PathScreen::Class(Napi::Env env) {
  return DefineClass(env, "PathScreen", {InstanceMethod<&PathScreen::Passed>("passed")});
}

void InitPathScreen(Napi::Env env, Napi::Object exports) { exports.Set("PathScreen", PathScreen::Class(env)); }

}  // namespace sandlock

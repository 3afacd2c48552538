#include "path_screen.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>

namespace sandlock {

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

PathScreen::PathScreen(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<PathScreen>(info), arch_(Uint(info[0])), concerns_(info[2], info[3], info[4]) {
  auto calls = info[1].As<Napi::Int32Array>();
  for (size_t i = 0; i + 4 < calls.ElementLength(); i += 5) {
    calls_.push_back({calls[i], calls[i + 1], calls[i + 2], calls[i + 3], calls[i + 4] != 0, 0});
  }
}

// The path of a call, made absolute and clean. false: that cannot be told.
bool PathScreen::Read(const seccomp_notif& notification, const Call& call, bool any_descriptor, Place& place) const {
  // Whether the task still waits need not be asked: what was read of another is answered to nobody.
  if (!ReadPath(notification.pid, notification.data.args[call.path], place.path) || place.path[0] == 0) return false;
  place.directory[0] = 0;
  if (place.path[0] != '/') {
    int fd = call.dirfd < 0 ? AT_FDCWD : static_cast<int>(notification.data.args[call.dirfd]);
    if (fd != AT_FDCWD && (fd < 0 || !any_descriptor)) return false;
    char link[40];
    if (fd == AT_FDCWD) {
      snprintf(link, sizeof link, "/proc/%u/cwd", notification.pid);
    } else {
      snprintf(link, sizeof link, "/proc/%u/fd/%d", notification.pid, fd);
    }
    ssize_t got = readlink(link, place.directory, sizeof place.directory - 1);
    // Not from our root: "(unreachable)/...". proc(5)
    if (got <= 0 || got == sizeof place.directory - 1 || place.directory[0] != '/') return false;
    place.directory[got] = 0;
    if (!concerns_.Append(place.directory, place.clean)) return false;
  }
  return concerns_.Append(place.path, place.clean);
}

// Whether the link that is being made could lead to something of concern. Another thread may change its text after this look;
// what that link leads to is then as if it had been there before.
bool PathScreen::MayLeadThere(const seccomp_notif& notification, const Call& link) const {
  char text[kMaxPath];
  if (!ReadPath(notification.pid, notification.data.args[link.text], text)) return true;
  Place place;
  if (!concerns_.IsToldByText(text) && (!Read(notification, link, true, place) || !concerns_.Append("..", place.clean))) return true;
  return concerns_.MayLeadThere(text, place.clean);
}

// Whether ".." stands behind a name in a path. If that is a link, to whatever directory, it leads elsewhere than its text says.
static bool GoesBack(const char* path) { return strstr(path + strspn(path, "./"), "/.."); }

bool PathScreen::LeadsThere(const Place& place) const {
  char whole[kMaxDirectory + kMaxPath + 1];
  snprintf(whole, sizeof whole, "%s/%s", place.directory, place.path);
  return concerns_.LeadsThere(whole);
}

bool PathScreen::Passes(const seccomp_notif& notification) {
  if (notification.data.arch != arch_) return false;
  auto call = std::find_if(calls_.begin(), calls_.end(), [&](const Call& each) { return each.nr == notification.data.nr; });
  if (call == calls_.end()) return false;
  if (call->path < 0) {
    call->passed++;
    return true;
  }
  if (call->text >= 0) {
    links_made_ = true;
    if (MayLeadThere(notification, *call)) {
      looks_up_ = true;
      return false;
    }
  } else {
    Place place;
    if (!Read(notification, *call, false, place)) return false;
    place.clean.RootIfEmpty();
    if (concerns_.Concerns(place.clean.text, place.clean.length)) return false;
    if ((looks_up_ || (links_made_ && GoesBack(place.path))) && LeadsThere(place)) return false;
  }
  if (call->none_pass) return false;
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

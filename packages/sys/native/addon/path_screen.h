/*
 * PathScreen: opens that concern nobody, waved on without entering JavaScript.
 *
 * Every open of every program is notified where a few names have a view, and nearly none has. This tells them apart by the text
 * of the path, see PathsOfConcern. What it cannot tell at a glance concerns somebody: memory that is not readable, a long path,
 * ".." in a tree, a directory descriptor. Once a program has made a symbolic link that could lead to something of concern, a
 * text says too little, and each path is also looked up; after any other link those with ".." behind a name are. It grants nothing: what it says is that nobody would have answered,
 * and Landlock judges the call as ever.
 */
#ifndef SANDLOCK_PATH_SCREEN_H
#define SANDLOCK_PATH_SCREEN_H

#include <linux/seccomp.h>

#include <vector>

#include "paths_of_concern.h"
#include "result.h"

namespace sandlock {

class PathScreen : public Napi::ObjectWrap<PathScreen> {
 public:
  static Napi::Function Class(Napi::Env env);
  // (arch, calls, names, trees, directories): calls is Int32Array of [nr, path register or -1, dirfd register or -1, register with
  // the text of a link that is made or -1, 1 if none may pass] each, and passes without a path; for the others see PathsOfConcern.
  explicit PathScreen(const Napi::CallbackInfo& info);

  // Whether this notification concerns nobody; counts it if so.
  bool Passes(const seccomp_notif& notification);

 private:
  struct Call {
    int nr, path, dirfd, text;
    bool none_pass;
    double passed;
  };
  // Of a call's path, as long as it is looked at.
  struct Place {
    char directory[kMaxDirectory];  // that a relative one starts from, otherwise empty
    char path[kMaxPath];
    CleanPath clean;
  };

  Napi::Value Passed(const Napi::CallbackInfo& info);
  bool Read(const seccomp_notif& notification, const Call& call, bool any_descriptor, Place& place) const;
  bool MayLeadThere(const seccomp_notif& notification, const Call& link) const;
  bool LeadsThere(const Place& place) const;

  uint32_t arch_;
  std::vector<Call> calls_;
  PathsOfConcern concerns_;
  bool links_made_ = false, looks_up_ = false;
};

}  // namespace sandlock

#endif

/*
 * PathsOfConcern: names, trees and divided directories about which somebody has something to say, and what leads to them.
 *
 * A path is told by its text: whether it, made absolute and cleaned of ".", "//" and "..", is one of some names, lies beneath
 * one of some trees, or beneath an entry of some directories that they did not have before. Symbolic links make it lead
 * elsewhere than its text says. So the text of a link tells whether paths over it could, wherever the link is moved later; and where
 * there are such links, what a path leads to is looked up.
 */
#ifndef SANDLOCK_PATHS_OF_CONCERN_H
#define SANDLOCK_PATHS_OF_CONCERN_H

#include <string>
#include <unordered_map>
#include <vector>

#include "result.h"

namespace sandlock {

// Longer ones are rare, and JavaScript takes any.
constexpr size_t kMaxPath = 512, kMaxDirectory = 1024;

// What Append() makes. Without a slash at the end; the root is empty until RootIfEmpty().
struct CleanPath {
  char text[kMaxDirectory + kMaxPath];
  size_t length = 0;

  void RootIfEmpty() {
    if (length == 0) text[length++] = '/';
  }
};

class PathsOfConcern {
 public:
  // Names and trees are absolute, without a slash at the end, each with a NUL behind it. A directory is [names, identities]:
  // its own and those of its entries, and BigUint64Array of [device, inode] of each entry, 0 and 0 where any will do.
  PathsOfConcern(const Napi::Value& names, const Napi::Value& trees, const Napi::Value& directories);

  // Appends the components of `path`, each behind a slash; ".." takes the last one off. false: there is no room,
  // or a tree is left by "..", where a name of a process may lead anywhere.
  bool Append(const char* path, CleanPath& clean) const;

  // Whether a clean path, by its text, concerns somebody.
  bool Concerns(const char* path, size_t length) const;

  // Whether a link with this text could lead to something of concern, or towards it.
  bool MayLeadThere(const char* text, const CleanPath& directory) const;
  // Whether the directory that a link with this text is made in need not be known for that.
  bool IsToldByText(const char* text) const { return text[0] == '/' || directories_.empty(); }

  // Whether a path that does not concern anybody by its text does so by what it leads to, or that cannot be told.
  bool LeadsThere(const char* path) const;

 private:
  struct Identity {
    uint64_t device, inode;
  };
  struct Directory {
    std::string path;  // with a slash behind it
    std::unordered_map<std::string, Identity> entries;
  };

  bool IsInTree(const char* path, size_t length) const;
  bool IsAbove(const CleanPath& path) const;
  bool MayLeadThereFromAnywhere(const char* relative) const;
  static bool IsNew(const Directory& directory, const char* path, size_t length);

  std::vector<std::string> names_, trees_;
  std::vector<Directory> directories_;
};

}  // namespace sandlock

#endif

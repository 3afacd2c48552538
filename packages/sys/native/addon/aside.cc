/*
 * Aside: reads that may take long, in a thread of the pool. The function returns a promise of [result, ...] or -errno.
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "result.h"

namespace sandlock {

// offsetof(struct linux_dirent64, ...)
static const size_t kReclen = 16, kName = 19;
static const size_t kChunk = 64 * 1024;

static double ThreadMs() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

class Aside : public Napi::AsyncWorker {
 public:
  explicit Aside(Napi::Env env) : Napi::AsyncWorker(env), promise_(Napi::Promise::Deferred::New(env)) {}

  static Napi::Value Begin(Aside* work) {
    Napi::Value promise = work->promise_.Promise();
    work->Queue();
    return promise;
  }

 protected:
  virtual int Work() = 0;  // 0 or errno
  virtual Napi::Array Answer(Napi::Env env) = 0;

  double busyMs_ = 0;

 private:
  void Execute() override {
    double before = ThreadMs();
    error_ = Work();
    busyMs_ = ThreadMs() - before;
  }

  void OnOK() override {
    Napi::Env env = Env();
    promise_.Resolve(error_ ? Napi::Number::New(env, -error_).As<Napi::Value>() : Answer(env).As<Napi::Value>());
  }

  Napi::Promise::Deferred promise_;
  int error_ = 0;
};

static std::string PathOf(const Napi::Value& v) { return std::string(reinterpret_cast<const char*>(BytesOf(v).data)); }

template <typename... Values>
static Napi::Array ArrayOf(Napi::Env env, Values... values) {
  Napi::Array array = Napi::Array::New(env);
  uint32_t n = 0;
  (array.Set(n++, values), ...);
  return array;
}

/* A file from its start. */
class ReadFile : public Aside {
 public:
  ReadFile(Napi::Env env, std::string path, size_t max) : Aside(env), path_(std::move(path)), max_(max) {}

 private:
  int Work() override {
    int fd = open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return errno;
    int error = 0;
    while (!atEnd_ && !error && bytes_.size() < max_) {
      size_t have = bytes_.size();
      bytes_.resize(std::min(max_, have + kChunk));
      ssize_t got = read(fd, &bytes_[have], bytes_.size() - have);
      error = got < 0 ? errno : 0;
      atEnd_ = got == 0;
      bytes_.resize(have + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    }
    close(fd);
    return error;
  }

  Napi::Array Answer(Napi::Env env) override {
    return ArrayOf(env, Napi::Buffer<char>::Copy(env, bytes_.data(), bytes_.size()), Napi::Boolean::New(env, atEnd_),
                   Napi::Number::New(env, busyMs_));
  }

  std::string path_, bytes_;
  size_t max_;
  bool atEnd_ = false;
};

/* The files that a process has open and whose link in /proc begins so: inodes with their blocks, each once. */
class ListFiles : public Aside {
 public:
  ListFiles(Napi::Env env, std::string directory, std::string prefix, size_t max)
      : Aside(env), directory_(std::move(directory)), prefix_(std::move(prefix)), max_(max) {}

 private:
  int Work() override {
    int fd = open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno;
    std::vector<char> records(kChunk), link(prefix_.size());
    long got;
    while ((got = syscall(SYS_getdents64, fd, records.data(), records.size())) > 0 && looked_ <= max_) {
      for (long at = 0; at < got; at += Reclen(&records[static_cast<size_t>(at)])) {
        const char* name = &records[static_cast<size_t>(at) + kName];
        if (name[0] == '.' || ++looked_ > max_) continue;
        ssize_t length = readlinkat(fd, name, link.data(), link.size());
        if (length != static_cast<ssize_t>(link.size()) || memcmp(link.data(), prefix_.data(), link.size()) != 0) continue;
        struct stat st;
        if (fstatat(fd, name, &st, 0) == 0) files_[st.st_ino] = st.st_blocks;
      }
    }
    int error = got < 0 ? errno : 0;
    close(fd);
    return error;
  }

  static long Reclen(const char* record) {
    uint16_t length;
    memcpy(&length, record + kReclen, sizeof length);
    return length;
  }

  Napi::Array Answer(Napi::Env env) override {
    auto files = Napi::Float64Array::New(env, files_.size() * 2);
    size_t n = 0;
    for (auto& [inode, blocks] : files_) {
      files[n++] = static_cast<double>(inode);
      files[n++] = static_cast<double>(blocks);
    }
    return ArrayOf(env, files, Napi::Number::New(env, static_cast<double>(looked_)), Napi::Number::New(env, busyMs_));
  }

  std::string directory_, prefix_;
  size_t max_, looked_ = 0;
  std::map<ino_t, blkcnt_t> files_;
};

/* All records of a directory from where it stands, and where each begins, by the bytes of their names. */
class ReadDirectory : public Aside {
 public:
  ReadDirectory(Napi::Env env, int fd, size_t max) : Aside(env), fd_(fd), max_(max) {}

 private:
  int Work() override {
    for (;;) {
      size_t have = records_.size();
      if (have > max_) return EFBIG;
      records_.resize(have + kChunk);
      long got = syscall(SYS_getdents64, fd_, &records_[have], kChunk);
      int error = got < 0 ? errno : 0;
      records_.resize(have + static_cast<size_t>(std::max(got, 0L)));
      if (error) return error;
      if (got == 0) break;
    }
    for (size_t at = 0; at < records_.size();) {
      starts_.push_back(static_cast<uint32_t>(at));
      uint16_t length;
      memcpy(&length, &records_[at + kReclen], sizeof length);
      at += length;
    }
    const char* names = records_.data() + kName;
    std::sort(starts_.begin(), starts_.end(), [names](uint32_t a, uint32_t b) {
      int rank = Rank(names + a) - Rank(names + b);
      return rank != 0 ? rank < 0 : strcmp(names + a, names + b) < 0;
    });
    return 0;
  }

  /* 0 for `.`, 1 for `..`, 2 for names. */
  static int Rank(const char* name) { return !strcmp(name, ".") ? 0 : !strcmp(name, "..") ? 1 : 2; }

  Napi::Array Answer(Napi::Env env) override {
    auto starts = Napi::Uint32Array::New(env, starts_.size());
    if (!starts_.empty()) memcpy(starts.Data(), starts_.data(), starts_.size() * sizeof(uint32_t));
    return ArrayOf(env, Napi::Buffer<char>::Copy(env, records_.data(), records_.size()), starts);
  }

  int fd_;
  size_t max_;
  std::string records_;
  std::vector<uint32_t> starts_;
};

static size_t Max(const Napi::Value& v) { return static_cast<size_t>(v.As<Napi::Number>().Int64Value()); }

static Napi::Value ReadFileAside(const Napi::CallbackInfo& info) {  // (path, max bytes)
  return Aside::Begin(new ReadFile(info.Env(), PathOf(info[0]), Max(info[1])));
}

static Napi::Value ListFilesAside(const Napi::CallbackInfo& info) {  // (directory of links, prefix, max links)
  return Aside::Begin(new ListFiles(info.Env(), PathOf(info[0]), PathOf(info[1]), Max(info[2])));
}

static Napi::Value ReadDirectoryAside(const Napi::CallbackInfo& info) {  // (fd, max bytes)
  return Aside::Begin(new ReadDirectory(info.Env(), Int(info[0]), Max(info[1])));
}

void InitAside(Napi::Env env, Napi::Object exports) {
  BIND("readFileAside", ReadFileAside);
  BIND("listFilesAside", ListFilesAside);
  BIND("readDirectoryAside", ReadDirectoryAside);
}

}  // namespace sandlock

/*
 * PipeCapture: what comes out of a pipe, read to its end on the event loop and kept up to a limit, without entering JavaScript
 * on the way. pipe(7)
 */
#include <unistd.h>

#include <algorithm>
#include <string>

#include "watcher.h"

namespace sandlock {

class PipeCapture : public Watcher<PipeCapture> {
 public:
  static Napi::Function Class(Napi::Env env) {
    return ClassNamed(env, "PipeCapture", {InstanceMethod<&PipeCapture::Drain>("drain"), InstanceMethod<&PipeCapture::Total>("total"),
                                           InstanceMethod<&PipeCapture::Take>("take")});
  }

  // (fd, limitBytes, callback(0)): called back at the end, once.
  explicit PipeCapture(const Napi::CallbackInfo& info)
      : Watcher(info, "sandlock.PipeCapture", Int(info[0]), info[2]), fd_(Int(info[0])), limit_(U64(info[1])) {}

 private:
  // Other events get their turn after so much.
  static constexpr size_t kTurn = 1 << 20;

  void Ready(int, int, Revents) override {
    if (!ended_ && Read()) CallBack({0});
  }

  // Whether the end was reached. Reads on beyond the limit, or the writer would wait for good.
  bool Read() {
    char chunk[64 * 1024];
    for (size_t turn = 0; turn < kTurn && !ended_;) {
      ssize_t got = read(fd_, chunk, sizeof chunk);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) break;
      if (got <= 0) {
        ended_ = true;  // after an error, too, there is no more
        break;
      }
      kept_.append(chunk, std::min<uint64_t>(static_cast<size_t>(got), limit_ - kept_.size()));
      total_ += static_cast<double>(got);
      turn += static_cast<size_t>(got);
    }
    return ended_;
  }

  Napi::Value Drain(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), Read()); }
  Napi::Value Total(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), total_); }

  // What was kept, which is handed over.
  Napi::Value Take(const Napi::CallbackInfo& info) {
    limit_ = 0;
    if (kept_.empty()) return Napi::Buffer<char>::New(info.Env(), 0);
    auto* kept = new std::string(std::move(kept_));
    kept_.clear();
    return Napi::Buffer<char>::NewOrCopy(info.Env(), kept->data(), kept->size(), [](Napi::Env, char*, std::string* text) { delete text; }, kept);
  }

  int fd_;
  uint64_t limit_;
  std::string kept_;
  double total_ = 0;
  bool ended_ = false;
};

void InitPipeCapture(Napi::Env env, Napi::Object exports) { exports.Set("PipeCapture", PipeCapture::Class(env)); }

}  // namespace sandlock

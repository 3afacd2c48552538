/*
 * Sockets: those between supervisor and guard (socketpair(2), sendmsg(2), recvmsg(2) with one descriptor at the
 * most), and what a supervisor does to its copy of a target's socket.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "result.h"

namespace sandlock {

static Napi::Value Socketpair(const Napi::CallbackInfo& info) {
  int ends[2] = {-1, -1};
  int rc = socketpair(AF_UNIX, Int(info[1]), 0, ends);
  auto out = info[0].As<Napi::Int32Array>();
  if (rc == 0) out[0] = ends[0], out[1] = ends[1];
  return Result(info.Env(), rc);
}

static Napi::Value Socket(const Napi::CallbackInfo& info) {  // socket(2)
  return Result(info.Env(), socket(Int(info[0]), Int(info[1]), Int(info[2])));
}

// (socket, buffer, received): one record into buffer; received[0] is the descriptor that came with it, or -1.
static Napi::Value RecvMessage(const Napi::CallbackInfo& info) {
  Bytes buffer = BytesOf(info[1]);
  iovec iov = {buffer.data, buffer.length};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr msg = {};
  msg.msg_iov = &iov;
  msg.msg_iovlen = 1;
  msg.msg_control = control;
  msg.msg_controllen = sizeof control;
  ssize_t n = recvmsg(Int(info[0]), &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  int saved = errno, fd = -1;
  if (n >= 0)
    for (cmsghdr* c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
      if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) memcpy(&fd, CMSG_DATA(c), sizeof fd);
  auto received = info[2].As<Napi::Int32Array>();
  received[0] = fd;
  errno = saved;
  return Result(info.Env(), n);
}

static Napi::Value SendMessage(const Napi::CallbackInfo& info) {
  Bytes buffer = BytesOf(info[1]);
  return Result(info.Env(), send(Int(info[0]), buffer.data, buffer.length, MSG_DONTWAIT | MSG_NOSIGNAL));
}

// An int option alone, as its value: those asked for here are never negative.
static Napi::Value GetsockoptInt(const Napi::CallbackInfo& info) {
  int value = 0;
  socklen_t length = sizeof value;
  int rc = getsockopt(Int(info[0]), Int(info[1]), Int(info[2]), &value, &length);
  return Result(info.Env(), rc == 0 ? value : rc);
}

static Napi::Value Setsockopt(const Napi::CallbackInfo& info) {  // setsockopt(2)
  Bytes value = BytesOf(info[3]);
  return Result(info.Env(), setsockopt(Int(info[0]), Int(info[1]), Int(info[2]), value.data, static_cast<socklen_t>(value.length)));
}

// The port of an internet socket's own address, 0 when it has none; EAFNOSUPPORT for another family.
static Napi::Value GetsocknamePort(const Napi::CallbackInfo& info) {
  sockaddr_storage address = {};
  socklen_t length = sizeof address;
  int rc = getsockname(Int(info[0]), reinterpret_cast<sockaddr*>(&address), &length);
  if (rc != 0) return Result(info.Env(), rc);
  if (address.ss_family == AF_INET) rc = ntohs(reinterpret_cast<sockaddr_in*>(&address)->sin_port);
  else if (address.ss_family == AF_INET6) rc = ntohs(reinterpret_cast<sockaddr_in6*>(&address)->sin6_port);
  else rc = -EAFNOSUPPORT;
  return Napi::Number::New(info.Env(), rc);
}

static Napi::Value Listen(const Napi::CallbackInfo& info) {
  return Result(info.Env(), listen(Int(info[0]), Int(info[1])));
}

static Napi::Value Shutdown(const Napi::CallbackInfo& info) {
  return Result(info.Env(), shutdown(Int(info[0]), Int(info[1])));
}

void InitSocket(Napi::Env env, Napi::Object exports) {
  BIND("socket", Socket);
  BIND("socketpair", Socketpair);
  BIND("recvMessage", RecvMessage);
  BIND("sendMessage", SendMessage);
  BIND("getsockoptInt", GetsockoptInt);
  BIND("setsockopt", Setsockopt);
  BIND("getsocknamePort", GetsocknamePort);
  BIND("listen", Listen);
  BIND("shutdown", Shutdown);
}

}  // namespace sandlock

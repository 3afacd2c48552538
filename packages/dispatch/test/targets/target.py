"""
A target: installs the filter it is given, says which descriptor the listener is, and then makes the calls
it is told to, one line of JSON each way.

Nothing between installing the filter and the first line may be notified: it would wait for a supervisor
that does not have the listener yet.
"""
import ctypes
import json
import mmap
import os
import resource
import sys
import threading

PR_SET_NO_NEW_PRIVS = 38
SECCOMP_SET_MODE_FILTER = 1
NEW_LISTENER = 1 << 3
WAIT_KILLABLE_RECV = 1 << 5
EINVAL = 22

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


class SockFprog(ctypes.Structure):
    _fields_ = [('len', ctypes.c_ushort), ('filter', ctypes.c_void_p)]


def install(seccomp_nr, program):
    kept = ctypes.create_string_buffer(program, len(program))
    fprog = SockFprog(len(program) // 8, ctypes.addressof(kept))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), 'prctl')
    for flags in (NEW_LISTENER | WAIT_KILLABLE_RECV, NEW_LISTENER):
        fd = libc.syscall(seccomp_nr, SECCOMP_SET_MODE_FILTER, flags, ctypes.byref(fprog))
        if fd >= 0:
            return fd
        if ctypes.get_errno() != EINVAL:
            break
    raise OSError(ctypes.get_errno(), 'seccomp')


def unmapped_after(text):
    """The address of a string whose NUL is the last byte before an unmapped page."""
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    page = mmap.PAGESIZE
    at = libc.mmap(None, 2 * page, 3, 0x22, -1, 0)
    libc.munmap(at + page, page)
    data = text.encode() + b'\0'
    address = at + page - len(data)
    ctypes.memmove(address, data, len(data))
    return address


def read_only(size):
    libc.mmap.restype = ctypes.c_void_p
    return libc.mmap(None, size, 1, 0x22, -1, 0)


def argument(value, buffers):
    if isinstance(value, int):
        return ctypes.c_long(value)
    if 'text' in value:
        buffer = ctypes.create_string_buffer(value['text'].encode('latin1'))
    elif 'space' in value:
        buffer = ctypes.create_string_buffer(value['space'])
    elif 'edge' in value:
        return ctypes.c_void_p(unmapped_after(value['edge']))
    else:
        return ctypes.c_void_p(read_only(value['readOnly']))
    buffers.append(buffer)
    return ctypes.c_void_p(ctypes.addressof(buffer))


def make_call(request):
    buffers = []
    args = [argument(value, buffers) for value in request['args']]
    result = libc.syscall(request['nr'], *args)
    error = ctypes.get_errno() if result == -1 else 0
    return {'result': result, 'errno': error, 'buffers': [buffer.raw.decode('latin1') for buffer in buffers]}


def run(request):
    op = request['op']
    if op == 'call':
        return make_call(request)
    if op == 'thread':
        answers = []

        def body():
            answers.append({'tid': threading.get_native_id(), **make_call(request)})

        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
        return answers[0]
    if op == 'storm':
        def body():
            for _ in range(request['times']):
                result = libc.syscall(request['nr'])
                if result > 2:
                    libc.close(result)  # if it is a descriptor

        threads = [threading.Thread(target=body) for _ in range(request['threads'])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {'done': request['threads'] * request['times']}
    if op == 'chdir':
        os.chdir(request['path'])
        return {}
    if op == 'close':
        os.close(request['fd'])
        return {}
    if op == 'read':
        return {'content': os.read(request['fd'], 65536).decode('latin1')}
    if op == 'write':
        try:
            return {'written': os.write(request['fd'], b'x')}
        except OSError as error:
            return {'errno': error.errno}
    if op == 'inheritable':
        return {'inheritable': os.get_inheritable(request['fd'])}
    if op == 'limit':
        resource.setrlimit(resource.RLIMIT_NOFILE, (request['files'], request['files']))
        return {}
    raise ValueError(op)


def main():
    seccomp_nr, program = int(sys.argv[1]), bytes.fromhex(sys.argv[2])
    threading.get_native_id()
    print(json.dumps({'listener': install(seccomp_nr, program)}), flush=True)
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)


main()

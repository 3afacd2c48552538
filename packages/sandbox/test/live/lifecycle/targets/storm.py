"""
A storm of processes: up to 200 at once fork, read, exec and die at random, some by signals, for a while. Afterwards it
says how many children it can have at once, which is what the limit leaves beside itself.

    storm.py SECONDS
"""
import os, random, signal, sys, time

random.seed(11)
children = set()
end = time.monotonic() + float(sys.argv[1])
forks = refused = 0


def child():
    random.seed(os.getpid())
    what = random.randrange(6)
    if what == 0:
        open('/proc/self/stat').read()
    elif what == 1:
        os.execv('/bin/true', ['true'])
    elif what == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == 3:
        if os.fork() == 0:  # orphaned at once
            time.sleep(random.random() / 10)
            os._exit(0)
    elif what == 4:
        for name in ('/etc/hosts', '/etc/passwd', '/nowhere'):
            try:
                open(name).close()
            except OSError:
                pass
    time.sleep(random.random() / 20)
    os._exit(0)


while time.monotonic() < end:
    if len(children) < 180:
        try:
            pid = os.fork()
            if pid == 0:
                try:
                    child()
                finally:
                    os._exit(1)
            children.add(pid)
            forks += 1
        except BlockingIOError:
            refused += 1
    if random.random() < 0.05 and children:
        try:
            os.kill(random.choice(tuple(children)), random.choice((signal.SIGKILL, signal.SIGTERM)))
        except ProcessLookupError:
            pass
    while children:
        pid, _ = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            break
        children.discard(pid)
for pid in children:
    os.waitpid(pid, 0)
time.sleep(0.5)  # orphans end

sleepers = []
try:
    while len(sleepers) < 1000:
        pid = os.fork()
        if pid == 0:
            signal.pause()
            os._exit(0)
        sleepers.append(pid)
except BlockingIOError:
    pass
for pid in sleepers:
    os.kill(pid, signal.SIGKILL)
for pid in sleepers:
    os.waitpid(pid, 0)
print(forks, refused, len(sleepers))

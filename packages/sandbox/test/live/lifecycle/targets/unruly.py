"""Leaves processes behind that are hard to end. Arguments: kind, mark, stay|leave. Says "ready" once they run."""
import os
import signal
import sys
import threading
import time

kind, mark, then = sys.argv[1:4]
ready_read, ready_write = os.pipe()


def sleep_for_ever():
    while True:
        time.sleep(1000)


def helper(body):
    """Forks; the child says that it is set up and does its thing."""
    pid = os.fork()
    if pid == 0:
        try:
            body()
        finally:
            os._exit(1)
    return pid


def say_ready():
    os.write(ready_write, b'.')


def settle():
    say_ready()
    sleep_for_ever()


def own_session():
    os.setsid()
    settle()


def orphan():
    if os.fork() > 0:
        os._exit(0)
    os.setsid()
    if os.fork() > 0:
        os._exit(0)
    settle()


def deaf():
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    os.setpgid(0, 0)
    settle()


def stopped():
    os.setsid()
    say_ready()
    os.kill(os.getpid(), signal.SIGSTOP)
    sleep_for_ever()


def daemon():
    if os.fork() > 0:
        os._exit(0)
    os.setsid()
    if os.fork() > 0:
        os._exit(0)
    os.chdir('/')
    say_ready()
    os.closerange(0, 256)
    sleep_for_ever()


def other_program():
    os.setsid()
    say_ready()
    os.execve('/bin/sleep', [mark, '1000'], {})


def threads():
    os.setsid()
    for _ in range(8):
        threading.Thread(target=sleep_for_ever).start()
    settle()


def respawning():
    os.setsid()
    say_ready()
    while True:
        pid = helper(sleep_for_ever)
        os.waitpid(pid, 0)


def bomb():
    os.setsid()
    count = 0
    while count < 180:
        try:
            if os.fork() == 0:
                os.setsid()
            else:
                count += 1
        except OSError:
            break
        if count % 2:
            continue
        count += 1
    say_ready()
    while True:
        try:
            if os.fork() == 0:
                os._exit(0)
        except OSError:
            pass
        try:
            os.waitpid(-1, os.WNOHANG)
        except OSError:
            pass
        time.sleep(0.001)


kinds = {
    'own-session': [own_session], 'orphan': [orphan], 'deaf': [deaf], 'stopped': [stopped], 'daemon': [daemon],
    'other-program': [other_program], 'threads': [threads], 'respawning': [respawning], 'bomb': [bomb],
}
kinds['all'] = [body for name, bodies in kinds.items() if name != 'bomb' for body in bodies]

bodies = kinds[kind]
for body in bodies:
    helper(body)
waiting = len(bodies)
while waiting:
    waiting -= len(os.read(ready_read, waiting))
os.write(1, b'ready\n')
if then == 'stay':
    sleep_for_ever()
os._exit(0)

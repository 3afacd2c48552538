"""
A shell with job control, as far as a test needs one.

Leads a session on a pseudo-terminal, runs its arguments as a job in a process group of its own, and follows a script of
steps from stdin, one a line. What it sees it prints as lines of JSON. termios(3), credentials(7).

  expect TEXT   wait until the terminal shows TEXT        type TEXT   type it; \\x03 and the like are keys
  stopped       wait until the job is stopped             fg, bg      continue it with and without the terminal
  owner         who has the terminal                      ended       wait until the job has ended
  sleep SECONDS                                           kill SIGNAL send it to the job's own process alone

With SESSION=job the job leads the session itself, as under ssh -t: no shell is there that could continue it.
With STDIN=null its stdin is /dev/null.
"""
import json
import os
import pty
import select
import signal
import sys
import time

LIMIT_S = 15
steps = [line.rstrip('\n') for line in sys.stdin]
master, slave = pty.openpty()
seen = ''


def say(**fact):
    print(json.dumps(fact), flush=True)


def fail(why):
    say(failed=why, seen=seen)
    os.kill(job, signal.SIGKILL)
    sys.exit(1)


def read(seconds):
    global seen
    if select.select([master], [], [], seconds)[0]:
        seen += os.read(master, 65536).decode()


def wait_for(what, holds):
    end = time.monotonic() + LIMIT_S
    while True:
        value = holds()
        if value:
            return value
        if time.monotonic() > end:
            fail(what)
        read(0.02)


# Who leads the session makes the terminal its own by opening it.
alone = os.environ.get('SESSION') == 'job'
if not alone:
    os.setsid()
    terminal = os.open(os.ttyname(slave), os.O_RDWR)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)

job = os.fork()
if job == 0:
    if alone:
        os.setsid()
        terminal = os.open(os.ttyname(slave), os.O_RDWR)
    else:
        os.setpgid(0, 0)
        os.tcsetpgrp(terminal, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    stdin = os.open('/dev/null', os.O_RDONLY) if os.environ.get('STDIN') == 'null' else terminal
    os.dup2(stdin, 0)
    os.dup2(terminal, 1)
    os.dup2(terminal, 2)
    os.closerange(3, 100)
    os.execvp(sys.argv[1], sys.argv[1:])


def owner():
    # The other end tells, too, and to whom the terminal does not belong. ioctl_tty(2), TIOCGPGRP.
    return os.tcgetpgrp(master)


wait_for('the job has the terminal', lambda: owner() == job)


def status(options):
    pid, value = os.waitpid(job, os.WNOHANG | options)
    return (value,) if pid else None


for step in steps:
    verb, _, argument = step.partition(' ')
    if verb == 'expect':
        wait_for('expect ' + argument, lambda: argument in seen)
        seen = seen.split(argument, 1)[1]
    elif verb == 'type':
        os.write(master, argument.encode().decode('unicode_escape').encode())
    elif verb == 'stopped':
        value, = wait_for('the job stops', lambda: status(os.WUNTRACED))
        say(stopped=os.WIFSTOPPED(value), signal=os.WSTOPSIG(value) if os.WIFSTOPPED(value) else None,
            terminal='job' if owner() == job else 'other')
        os.tcsetpgrp(terminal, os.getpgrp())
    elif verb == 'fg':
        os.tcsetpgrp(terminal, job)
        os.killpg(job, signal.SIGCONT)
    elif verb == 'bg':
        os.killpg(job, signal.SIGCONT)
    elif verb == 'owner':
        group = owner()
        say(owner='shell' if group == os.getpgrp() else 'job' if group == job else 'program')
    elif verb == 'sleep':
        end = time.monotonic() + float(argument)
        while time.monotonic() < end:
            read(0.02)
    elif verb == 'kill':
        os.kill(job, getattr(signal, argument))
    elif verb == 'ended':
        value, = wait_for('the job ends', lambda: status(0))
        say(code=os.waitstatus_to_exitcode(value), terminal='job' if owner() == job else 'other')
    else:
        fail('there is no step ' + step)
say(screen=seen)

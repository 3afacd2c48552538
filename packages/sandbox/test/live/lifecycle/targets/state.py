"""Prints what a program inherits beside descriptors, as JSON."""
import json
import os
import resource
import signal

status = dict(line.rstrip('\n').split(':\t', 1) for line in open('/proc/self/status') if ':\t' in line)
print(json.dumps({
    'uid': os.getuid(), 'gid': os.getgid(), 'groups': os.getgroups(), 'cwd': os.getcwd(),
    'nofile': resource.getrlimit(resource.RLIMIT_NOFILE), 'core': resource.getrlimit(resource.RLIMIT_CORE),
    'cpus': sorted(os.sched_getaffinity(0)), 'thp': status.get('THP_enabled'),
    'ignored': status['SigIgn'], 'blocked': status['SigBlk'], 'caught': status['SigCgt'],
    'capabilities': [status['CapInh'], status['CapPrm'], status['CapEff'], status['CapBnd'], status['CapAmb']],
    'noNewPrivs': status['NoNewPrivs'], 'session': os.getsid(0) == os.getpid(), 'group': os.getpgid(0) == os.getpid(),
    'personality': open('/proc/self/personality').read().strip(), 'environment': dict(os.environ),
}))

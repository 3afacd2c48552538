/**
 * Workloads: programs of every day, with what each needs and how much longer it may take in a sandbox.
 *
 * They work in a folder of their own that is made once a run. What is not installed here is left out.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PYTHON = '/usr/bin/python3';
/** git reads again what is no older than its index. */
const LONG_AGO = new Date('2020-01-01');

const PING_PONG = `
import socket, threading
server = socket.create_server(('127.0.0.1', 0))
def serve():
    peer = server.accept()[0]
    while data := peer.recv(64): peer.send(data)
threading.Thread(target=serve, daemon=True).start()
client = socket.create_connection(server.getsockname())
for _ in range(5000): client.send(b'ping'); client.recv(64)
client.close()`;

const SOURCE = `#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv) { for (int n = 0; n < argc; n++) printf("%zu %s\\n", strlen(argv[n]), argv[n]); return 0; }
`;

/** @returns {{ workloads: { name: string, command: string[], options: object, reach: number }[], remove(): void }} */
export function prepareWorkloads() {
  const folder = mkdtempSync(join(tmpdir(), 'sandlock-bench-'));
  writeFileSync(join(folder, 'main.c'), SOURCE);
  const repository = join(folder, 'repository');
  makeRepository(repository);
  const local = { fsWritable: ['/dev/null', folder], env: { TMPDIR: folder, HOME: folder } };
  const workloads = [
    { name: 'bash: 100 forks and execs', command: ['bash', '-c', 'for n in {1..100}; do /bin/true; done'], reach: 1.5 },
    { name: 'python3 -c pass', command: [PYTHON, '-c', 'pass'] },
    { name: 'git status, 1,000 files', command: ['git', '-C', repository, 'status', '--porcelain'] },
    { name: 'gcc of a file', command: ['gcc', '-O1', '-o', join(folder, 'main'), join(folder, 'main.c')] },
    { name: 'python: 5,000 round trips over TCP', command: [PYTHON, '-c', PING_PONG], options: { netAllow: ['*:*'], netAllowBind: ['*'] } },
    { name: 'find /usr', command: ['sh', '-c', 'find /usr -name nowhere 2>/dev/null; :'] },
  ].map((each) => ({ reach: 1.15, ...each, options: { ...local, ...each.options } }));
  return {
    workloads: workloads.filter(({ command: [program, ...args] }) => spawnSync(program, args).status === 0),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

function makeRepository(path) {
  for (let folder = 0; folder < 50; folder++) {
    mkdirSync(join(path, `folder-${folder}`), { recursive: true });
    for (let file = 0; file < 20; file++) {
      const name = join(path, `folder-${folder}`, `file-${file}`);
      writeFileSync(name, `${folder} ${file}\n`);
      utimesSync(name, LONG_AGO, LONG_AGO);
    }
  }
  const git = (...args) => spawnSync('git', ['-C', path, '-c', 'user.name=bench', '-c', 'user.email=bench@localhost', ...args]);
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message', 'All of it');
}

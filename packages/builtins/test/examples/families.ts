import { DispatchTable, Supervisor } from '@sandlock/dispatch';
import { FakeListener } from '@sandlock/dispatch/testing';
import { hostname, listen, processes, ProcessTree } from '../../src/index.js';

const members = new ProcessTree(() => 0); // over a real listener: the pid of the guard. One for all families
const limit = processes({ maxProcesses: 3, members });
const table = new DispatchTable({ arch: 'x86_64' });
table.family(limit);
table.family(hostname({ name: 'box' }));
table.family(listen({ bindPorts: [8080] }));
console.log(table.registrations().some(({ name }) => name === 'wait4')); // false: nothing is notified for counting

const listener = new FakeListener('x86_64');
const supervisor = new Supervisor({ listener, table });
supervisor.start();

listener.map(1000, 0x5000n, Buffer.alloc(390)); // memory of the task with pid 1000: a struct utsname
const name = listener.notify('uname', { args: [0x5000] });
console.log((await name.answered).kind, listener.memory(1000, 0x5000n + 65n, 3).toString()); // returnValue box

for (let n = 0; n < 3; n++) {
  const { kind, errno } = await listener.notify('fork').answered as { kind: string; errno?: string };
  console.log(errno ?? kind); // continue, continue, EAGAIN
}
console.log(limit.peak()); // 3

await supervisor.close();

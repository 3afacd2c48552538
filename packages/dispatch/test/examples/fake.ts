import { action, DispatchTable, Supervisor } from '../../src/index.js';
import { FakeListener } from '../../src/testing.js';
import { motd } from './family.js';

const table = new DispatchTable();
table.family(motd('hello\n'));
table.on('uname', () => action.errno('EPERM'));
console.log(table.registrations().map(({ name }) => name).includes('openat')); // true: what the filter has to notify

const listener = new FakeListener();
const supervisor = new Supervisor({ listener, table });
supervisor.start();

listener.mapString(1000, 0x5000n, '/etc/motd'); // memory of the task with pid 1000
const open = listener.notify('openat', { args: [-100, 0x5000, 0] });
console.log((await open.answered).kind); // fd
console.log(String(open.injections[0]?.content)); // hello
console.log((await listener.notify('uname').answered).errno); // EPERM

await supervisor.close();

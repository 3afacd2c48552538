/** A supervisor that is stopped by the test while its program makes one notified call after another. Argument: python. */
import { Sandbox } from '../../../../dist/index.js';

const optional = (path) => ({ path, optional: true });
const sandbox = new Sandbox({ fsReadable: ['/usr', '/etc', '/proc', optional('/lib'), optional('/lib64'), optional('/bin')] });
const child = await sandbox.popen([process.argv[2], '-I', '-c', `
import os, time
print('ready', flush=True)
end = time.monotonic() + 7
opens = longest = 0
while time.monotonic() < end:
    before = time.monotonic()
    assert open('/etc/hostname').read() != '' and os.path.exists('/proc/self/status')
    if os.fork() == 0: os._exit(0)
    os.wait()
    opens += 1
    longest = max(longest, time.monotonic() - before)
print(opens, longest > 4)`], { stdin: 'ignore', timeout: 60_000 });
let stdout = '';
child.stdout.on('data', (data) => { if ((stdout += data) === 'ready\n') console.log('ready'); });
const { exitCode, reason, peaks } = await child.wait();
console.log(JSON.stringify({ exitCode, reason, stdout, processes: peaks.processes, stats: child.stats() }));

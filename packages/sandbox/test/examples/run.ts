import { action, on, Sandbox } from '../../src/index.js';

const box = new Sandbox({
  fsReadable: ['/usr', '/etc', '/bin', { path: '/lib', optional: true }, { path: '/lib64', optional: true }],
  fsWritable: ['/dev/null'],
  maxProcesses: 16,
});

// It reads what was granted; what was not is refused, to root as well.
const result = await box.run(['sh', '-c', 'cat /etc/passwd > /dev/null && echo granted; ls /root'], { timeout: 10_000 });
console.log(result.text(), result.exitCode !== 0, String(result.stderr).includes('Permission denied')); // granted true true

// One of its system calls answered in TypeScript.
const handlers = [on('getppid', () => action.returnValue(4711))];
console.log((await box.run(['sh', '-c', 'echo $PPID'], { handlers })).text()); // 4711

// A program that stays: streams, signals, and nothing left when the block ends.
{
  await using child = await box.spawn(['cat']);
  child.stdin?.end('through the sandbox');
  for await (const chunk of child.stdout ?? []) console.log(String(chunk)); // through the sandbox
}

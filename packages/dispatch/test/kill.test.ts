import { afterEach, describe, expect, it } from 'vitest';

import { action, type KillTarget } from '../src/index.js';
import { closeAll, supervised, turn } from './supervised.js';

afterEach(closeAll);

function killing(target: KillTarget, options: Parameters<typeof supervised>[1] = {}) {
  return supervised([['uname', () => action.kill({ signal: 15, target }), { onException: 'denyEio' }]], options);
}

describe('kill', () => {
  it.each<[KillTarget, string]>([['task', 'task 1000 15'], ['group', 'group 1000 15'], [1000, 'group 1000 15']])(
    'of %s signals it and answers ENOMEM', async (target, signal) => {
      const { listener } = killing(target);
      expect(await listener.notify('uname').answered).toEqual({ kind: 'errno', errno: 'ENOMEM' });
      expect(listener.signals).toEqual([signal]);
    });

  it('of a group by number takes one that the sandbox calls its own', async () => {
    const { listener } = killing(2000, { ownsGroup: (pgid) => pgid === 2000 });
    expect((await listener.notify('uname').answered).errno).toBe('ENOMEM');
    expect(listener.signals).toEqual(['group 2000 15']);
  });

  it.each<[string, KillTarget, number, ((pgid: number) => boolean) | undefined]>([
    ['a group that nobody vouches for', 2000, 1000, undefined],
    ['a group that the sandbox does not own', 2000, 1000, () => false],
    ['the group of a target that left the sandbox\'s groups', 'group', 1000, () => false],
    ['the group of the supervisor by number', 500, 1000, () => true],
    ['the group of a target that joined the supervisor', 'group', 1003, () => true],
    ['group 1', 'group', 1002, () => true],
    ['an unknown group', 'group', 1001, () => true],
    ['a task that cannot be seen', 'task', 0, undefined],
    ['pid 1', 'task', 1, undefined],
    ['the supervisor', 'task', process.pid, undefined],
  ])('of %s is refused, signals nobody and ends in the policy', async (_, target, pid, ownsGroup) => {
    const { listener, reports } = killing(target, ownsGroup === undefined ? {} : { ownsGroup });
    listener.groups.set(1002, 1);
    listener.groups.set(1003, 500);
    expect(await listener.notify('uname', { pid }).answered).toEqual({ kind: 'errno', errno: 'EIO' });
    expect(listener.signals).toEqual([]);
    await turn();
    expect(reports).toMatchObject([{ type: 'exception', error: { code: 'ERR_SANDLOCK_HANDLER_KILL_TARGET' } }]);
  });

  it('of a task that is gone by then signals nobody', async () => {
    const { listener, supervisor } = supervised([['uname', () => {
      listener.withdraw(call);
      return action.kill({ signal: 9, target: 'task' });
    }]]);
    const call = listener.notify('uname');
    await call.answered;
    await turn();
    expect(listener.signals).toEqual([]);
    expect(supervisor.stats()).toMatchObject({ stale: 1 });
  });
});

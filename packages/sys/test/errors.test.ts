import { describe, expect, it } from 'vitest';

import { check, errnoName, errnoNumber, SandlockError, SyscallError } from '../src/index.js';

describe('errno', () => {
  it('has a number by name and a name by number, of either sign', () => {
    expect(errnoNumber('EACCES')).toBe(13);
    expect([errnoName(13), errnoName(-13)]).toEqual(['EACCES', 'EACCES']);
    expect([errnoNumber('ENOSUCH'), errnoName(9999)]).toEqual([undefined, undefined]);
  });

  it('has the first of two names that share a number', () => {
    expect([errnoName(11), errnoName(95)]).toEqual(['EAGAIN', 'EOPNOTSUPP']);
    expect(errnoNumber('EWOULDBLOCK')).toBe(11);
  });
});

describe('SyscallError', () => {
  it('has the fields of a system error of Node', () => {
    const error = new SyscallError('openat', 2, '/x');
    expect(error).toMatchObject({ name: 'SyscallError', code: 'ENOENT', errno: -2, syscall: 'openat', message: 'ENOENT: openat /x' });
    expect(error).toBeInstanceOf(SandlockError);
    expect(new SyscallError('openat', -2).errno).toBe(-2);
  });

  it('has a code for a number without a name', () => {
    expect(new SyscallError('openat', 524).code).toBe('E524');
  });

  it('is thrown for negative results only', () => {
    expect(check('read', 7)).toBe(7);
    expect(() => check('read', -9)).toThrow(expect.objectContaining({ code: 'EBADF', syscall: 'read' }));
  });
});

it('SandlockError keeps its cause', () => {
  const cause = new Error('why');
  expect(new SandlockError('ERR_SANDLOCK_X', 'what', { cause })).toMatchObject({ code: 'ERR_SANDLOCK_X', cause, name: 'SandlockError' });
});

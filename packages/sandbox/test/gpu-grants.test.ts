import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { ConfigError } from '../src/errors.js';
import { buildPolicy } from '../src/policy/build-policy.js';
import { gpuEnvironment, gpuGrants, type GpuSelection } from '../src/policy/gpu-grants.js';
import type { Confinement } from '../src/run/confinement.js';
import { startPlan } from '../src/run/start-plan.js';

let root: string;
beforeEach(() => { root = mkdtempSync(join(tmpdir(), 'sandlock-gpu-')); });
afterEach(() => { rmSync(root, { recursive: true }); });

function put(path: string, content = ''): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

function pci(address: string, vendor: string, kind: string, render?: string): void {
  put(`sys/bus/pci/devices/${address}/vendor`, `${vendor}\n`);
  put(`sys/bus/pci/devices/${address}/class`, `${kind}\n`);
  if (render === undefined) return;
  put(`sys/bus/pci/devices/${address}/drm/card${render}/dev`);
  put(`sys/bus/pci/devices/${address}/drm/renderD${render}/dev`);
  put(`dev/dri/renderD${render}`);
}

function nvidia(): void {
  for (const name of ['nvidia0', 'nvidia1', 'nvidia10', 'nvidiactl', 'nvidia-uvm', 'nvidia-uvm-tools', 'nvidia-modeset', 'null']) put(`dev/${name}`);
  put('proc/driver/nvidia/gpus/0000:41:00.0/information', 'Model: \t\t X\nDevice Minor: \t 1\n');
  put('sys/module/nvidia/version');
  pci('0000:41:00.0', '0x10de', '0x030000');
}

function amd(): void {
  put('dev/kfd');
  put('sys/class/kfd/kfd');
  pci('0000:83:00.0', '0x1002', '0x030000', '129');
  pci('0000:03:00.0', '0x1002', '0x120000', '131');
  pci('0000:01:00.0', '0x1002', '0x040300'); // its sound
  pci('0000:02:00.0', '0x8086', '0x030000', '128'); // somebody else's
}

function grants(selection: GpuSelection): { write: string[]; read: string[] } {
  const { writable, readable } = gpuGrants(selection, root);
  const names = (list: typeof writable): string[] => list.map(({ path }) => String(path).slice(root.length)).sort();
  return { write: names(writable), read: names(readable) };
}

const SHARED = ['/dev/nvidia-uvm', '/dev/nvidia-uvm-tools', '/dev/nvidiactl'];

describe('gpuGrants', () => {
  it('gives the chosen NVIDIA nodes, what they share, and no card of /dev/dri', () => {
    nvidia();
    put('dev/dri/card0');
    expect(grants([1])).toEqual({
      write: ['/dev/nvidia1', ...SHARED].sort(),
      read: ['/proc/driver/nvidia', '/sys/bus/pci/devices', '/sys/bus/pci/devices/0000:41:00.0', '/sys/module/nvidia'],
    });
    expect(grants([0, 10]).write).toEqual(['/dev/nvidia0', '/dev/nvidia10', ...SHARED].sort());
  });

  it('gives the chosen AMD render nodes, counted by PCI address', () => {
    amd();
    expect(grants([0])).toEqual({
      write: ['/dev/dri/renderD131', '/dev/kfd'],
      read: ['/sys/bus/pci/devices', '/sys/bus/pci/devices/0000:03:00.0', '/sys/class/kfd'],
    });
    expect(grants([1]).write).toEqual(['/dev/dri/renderD129', '/dev/kfd']);
  });

  it('gives /dev/dri for all where that is all there is, and fails where there is nothing', () => {
    expect(() => grants('all')).toThrow(expect.objectContaining({ issues: [expect.objectContaining({ path: 'gpuDevices' })] }));
    put('dev/dri/card0');
    expect(grants('all')).toEqual({ write: ['/dev/dri'], read: [] });
  });

  it('gives every GPU and /dev/dri for all', () => {
    nvidia();
    amd();
    expect(grants('all').write).toEqual(
      ['/dev/dri', '/dev/dri/renderD129', '/dev/dri/renderD131', '/dev/kfd', '/dev/nvidia0', '/dev/nvidia1', '/dev/nvidia10', ...SHARED].sort());
  });

  it('fails for every GPU that is missing, and names it', () => {
    nvidia();
    amd();
    try {
      gpuGrants([1, 2, 7], root);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      expect((error as ConfigError).issues.map(({ path, message }) => [path, /GPU (\d+)/.exec(message)?.[1]])).toEqual([['gpuDevices', '2'], ['gpuDevices', '7']]);
    }
    rmSync(join(root, 'dev/dri'), { recursive: true });
    rmSync(join(root, 'dev/nvidia1'));
    expect(() => gpuGrants([1], root)).toThrow(ConfigError);
  });
});

describe('gpuEnvironment', () => {
  it('names the chosen ones to the runtimes', () => {
    expect(gpuEnvironment([0, 2])).toEqual({ CUDA_VISIBLE_DEVICES: '0,2', ROCR_VISIBLE_DEVICES: '0,2' });
    expect([gpuEnvironment('all'), gpuEnvironment(null)]).toEqual([{}, {}]);
  });

  it('comes after the variables of the sandbox and of the call', () => {
    const { policy } = buildPolicy({ gpuDevices: [2], env: { CUDA_VISIBLE_DEVICES: '7', A: '1' } }, 'x86_64');
    const { env } = startPlan({
      policy, name: 'gpus', confinement: { filter: new Uint8Array(0), table: undefined } as Confinement, cmd: ['x'], stdio: [0, 1, 2], rulesetFd: 3,
      interactive: false, park: false, cgroup: undefined, options: { env: { ROCR_VISIBLE_DEVICES: '8' } },
    });
    expect(env.filter((each) => String(each).includes('VISIBLE_DEVICES')).sort()).toEqual(['CUDA_VISIBLE_DEVICES=2', 'ROCR_VISIBLE_DEVICES=2']);
    expect(env).toContain('A=1');
  });
});

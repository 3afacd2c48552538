/**
 * GPUs as files: what Landlock has to grant for those that were asked for.
 *
 * NVIDIA numbers its nodes itself: /dev/nvidia0. AMD's are numbered here as ROCm does, by PCI address, and found by what
 * hangs on it: renderD128. A directory rule would give every card, so /dev/dri is granted to those only who
 * get all of them. What is missing is an error: without it a program would quietly compute elsewhere.
 * Documentation/gpu/drm-uapi.rst, "Render nodes"; Documentation/ABI/testing/sysfs-bus-pci
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ConfigError, type ConfigIssue } from '../errors.js';
import type { Grants } from '../landlock/divided-grants.js';
import type { PolicyGrant } from './policy.js';

export type GpuSelection = 'all' | readonly number[];

interface Gpu {
  readonly index: number;
  readonly node: string;
  /** Its directory under /sys, if that is known. */
  readonly device: string | undefined;
}

const AMD = '0x1002';
/** Display controllers and processing accelerators. PCI Code and ID Assignment, "Class Codes" */
const GPU_CLASS = /^0x(?:03|12)/;
const NVIDIA_SHARED = ['dev/nvidiactl', 'dev/nvidia-uvm', 'dev/nvidia-uvm-tools'];
const NVIDIA_READ = ['proc/driver/nvidia', 'sys/module/nvidia'];
const AMD_SHARED = ['dev/kfd'];
const AMD_READ = ['sys/class/kfd', 'sys/devices/virtual/kfd', 'sys/module/amdgpu'];
const READ = ['sys/bus/pci/devices'];

/**
 * @param root  where dev, proc and sys are
 * @throws {ConfigError} every GPU that is not there, or that there is none at all
 */
export function gpuGrants(selection: GpuSelection, root = '/'): Grants {
  const nvidia = chosen(nvidiaGpus(root), selection);
  const amd = chosen(amdGpus(root), selection);
  if (selection !== 'all') refuseMissing(selection, [...nvidia, ...amd]);
  const both = [...nvidia, ...amd];
  const cards = selection === 'all' ? present(['dev/dri'], root) : [];
  if (selection === 'all' && both.length === 0 && cards.length === 0) throw new ConfigError([NONE]);
  const written = [
    ...both.map(({ node }) => node),
    ...(nvidia.length > 0 ? present(NVIDIA_SHARED, root) : []),
    ...(amd.length > 0 ? present(AMD_SHARED, root) : []),
    ...cards,
  ];
  const read = [
    ...(nvidia.length > 0 ? present(NVIDIA_READ, root) : []),
    ...(amd.length > 0 ? present(AMD_READ, root) : []),
    ...(both.length > 0 ? present(READ, root) : []),
    ...both.flatMap(({ device }) => device ?? []),
  ];
  return { writable: written.map(grant), readable: read.map(grant) };
}

/** What tells the runtimes of both makers; nothing where all were asked for. */
export function gpuEnvironment(selection: GpuSelection | null): Record<string, string> {
  if (selection === null || selection === 'all') return {};
  const indices = selection.join(',');
  return { CUDA_VISIBLE_DEVICES: indices, ROCR_VISIBLE_DEVICES: indices };
}

function chosen(gpus: readonly Gpu[], selection: GpuSelection): Gpu[] {
  return gpus.filter(({ index }) => selection === 'all' || selection.includes(index));
}

const NONE: ConfigIssue = {
  path: 'gpuDevices',
  message: 'There is no GPU: neither /dev/nvidia0 and so on, nor a render node of AMD, nor /dev/dri.',
};

function present(paths: readonly string[], root: string): string[] {
  return paths.map((path) => join(root, path)).filter((path) => existsSync(path));
}

function refuseMissing(selection: readonly number[], found: readonly Gpu[]): void {
  const missing = selection.filter((index) => !found.some((gpu) => gpu.index === index));
  const issues = missing.map((index): ConfigIssue => ({
    path: 'gpuDevices',
    message: `There is no GPU ${index}: neither /dev/nvidia${index} nor ${index === 0 ? 'a' : `${index + 1}`} render node${index === 0 ? '' : 's'} of AMD.`,
  }));
  if (issues.length > 0) throw new ConfigError(issues);
}

function nvidiaGpus(root: string): Gpu[] {
  const devices = nvidiaDevices(root);
  return list(join(root, 'dev')).flatMap((name) => {
    const digits = /^nvidia(\d+)$/.exec(name)?.[1];
    return digits === undefined ? [] : [{ index: Number(digits), node: join(root, 'dev', name), device: devices.get(Number(digits)) }];
  });
}

/** The directory under /sys by number of the node. */
function nvidiaDevices(root: string): ReadonlyMap<number, string> {
  const folder = join(root, 'proc/driver/nvidia/gpus');
  return new Map(list(folder).flatMap((address): [number, string][] => {
    const minor = /^Device Minor:\s*(\d+)/m.exec(text(join(folder, address, 'information')))?.[1];
    const device = join(root, 'sys/bus/pci/devices', address);
    return minor !== undefined && existsSync(device) ? [[Number(minor), device]] : [];
  }));
}

function amdGpus(root: string): Gpu[] {
  const pci = join(root, 'sys/bus/pci/devices');
  const gpus = list(pci).sort().flatMap((address) => {
    const device = join(pci, address);
    if (text(join(device, 'vendor')).trim() !== AMD || !GPU_CLASS.test(text(join(device, 'class')))) return [];
    const name = list(join(device, 'drm')).find((each) => /^renderD\d+$/.test(each));
    const node = join(root, 'dev/dri', name ?? '');
    return name !== undefined && existsSync(node) ? [{ node, device }] : [];
  });
  return gpus.map((gpu, index) => ({ index, ...gpu }));
}

function grant(path: string): PolicyGrant {
  return { path: Buffer.from(path), optional: false, from: 'gpuDevices' };
}

/** Empty where there is no such directory. */
function list(directory: string): string[] {
  return unlessMissing(() => readdirSync(directory), []);
}

function text(path: string): string {
  return unlessMissing(() => readFileSync(path, 'latin1'), '');
}

function unlessMissing<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch {
    return otherwise; // what cannot be looked at cannot be granted either, and is missing then
  }
}

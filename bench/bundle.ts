import { type BundleOptions, bundleWorkflowCode } from '@temporalio/worker';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const QUIET = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} };

type Code = Pick<BundleOptions, 'workflowsPath' | 'preloadModules'>;

/** Bundles workflow code into a file, so that no worker spends its measured time on that; removed after `work`. */
export async function withBundle<T>(source: Code, work: (codePath: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-bundle-'));
  try {
    const { code } = await bundleWorkflowCode({ ...source, logger: QUIET });
    const codePath = join(folder, 'workflows.js');
    await writeFile(codePath, code);
    return await work(codePath);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import type { Bundled } from './workflow-bundle.ts';
import { WORKFLOW_CODE } from './workflow-code.ts';

/** Resolves when it is on its way: what ends before that takes it along. */
const say = (said: Bundled) => new Promise((resolve) => process.send?.(said, resolve));

try {
  const logger = new DefaultLogger('WARN', ({ message }) => void say({ warning: message }));
  const { code } = await bundleWorkflowCode({ ...WORKFLOW_CODE, logger });
  await say({ code });
} catch (error) {
  await say({ failure: (error as Error).message });
}
process.disconnect();

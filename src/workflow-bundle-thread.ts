import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { parentPort } from 'node:worker_threads';
import type { Bundled } from './workflow-bundle.ts';
import { WORKFLOW_CODE } from './workflow-code.ts';

const say = (said: Bundled) => parentPort?.postMessage(said);

const { code } = await bundleWorkflowCode({
  ...WORKFLOW_CODE,
  logger: new DefaultLogger('WARN', ({ message }) => say({ warning: message })),
});
say({ code });

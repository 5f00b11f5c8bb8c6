import { extname, join } from 'node:path';

/** Source or build, whichever this is. */
const moduleAt = (name: string): string =>
  join(import.meta.dirname, 'workflows', `${name}${extname(import.meta.filename)}`);

/** What is bundled to be the workflow code. */
export const WORKFLOW_CODE = {
  workflowsPath: moduleAt('index'),
  preloadModules: [moduleAt('no-stacks')],
};

import { findTemporal } from '../../src/runtime/temporal-binary.ts';
import { startTemporal } from '../../src/runtime/temporal-server.ts';
import { quietLog } from '../support/database.ts';
import { type StackOptions, startTestStack, type TestStack } from '../support/stack.ts';

/**
 * A stack with a Temporal server of its own.
 *
 * @param eventsMax  after how many events of history it suggests to continue as new.
 */
export async function startStackOfBriefExecutions(
  eventsMax: number,
  options: Omit<StackOptions, 'temporalAddress'> = {},
): Promise<TestStack> {
  const binary = await findTemporal({ log: quietLog });
  const settings = { 'limit.historyCount.suggestContinueAsNew': eventsMax };
  const server = await startTemporal({ binary, dataDir: null, namespace: 'default', log: quietLog, settings });
  const stack = await startTestStack({ ...options, temporalAddress: server.address });
  return {
    ...stack,
    close: async () => {
      await stack.close();
      await server.stop();
    },
  };
}

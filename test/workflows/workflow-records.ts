import type { Client } from '@temporalio/client';

/**
 * Everything that the server keeps of the workflows that a query finds, as one text with every payload decoded: histories,
 * memos, search attributes, summaries, pending activities with their failures, current details and the `state` query.
 */
export async function recordOf(client: Client, query: string): Promise<string> {
  const texts: string[] = [];
  for await (const { workflowId, runId, status } of client.workflow.list({ query })) {
    const handle = client.workflow.getHandle(workflowId, runId);
    collect(await handle.describe(), texts);
    collect(await handle.fetchHistory(), texts);
    for (const name of status.name === 'RUNNING' ? ['__temporal_workflow_metadata', '__stack_trace'] : []) {
      collect(await handle.query(name), texts);
    }
  }
  return texts.join('\n');
}

/** Every name and text in a value, however deep; what is bytes is read as text. */
function collect(value: unknown, texts: string[], seen: Set<unknown> = new Set()): void {
  if (typeof value === 'string') texts.push(value);
  else if (value instanceof Uint8Array) texts.push(Buffer.from(value).toString('utf8'));
  else if (typeof value === 'object' && value !== null && !seen.has(value)) {
    seen.add(value);
    for (const [name, inner] of Object.entries(value)) {
      texts.push(name);
      collect(inner, texts, seen);
    }
  }
}

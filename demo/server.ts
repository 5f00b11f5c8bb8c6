import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Config, readConfig } from '../src/config.ts';
import { dim, print } from './layout.ts';
import { startStack } from './stack.ts';

/** A server that the demo drives. */
export interface DemoServer {
  readonly url: string;
  readonly platformKey: string;
  /** Stops it; null for one that ran before the demo came. */
  readonly stop: (() => Promise<void>) | null;
}

const ANSWER_WITHIN_MS = 3_000;

/**
 * The server at TRIBUTARY_URL; else the one that `npm start` runs here already; else one that is started for the demo.
 *
 * @param signal ends a start that is under way.
 * @throws in one line when TRIBUTARY_URL does not answer, when the platform key is not known, or when nothing starts.
 */
export async function findServer(signal: AbortSignal): Promise<DemoServer> {
  const config = readConfig();
  const named = process.env['TRIBUTARY_URL']?.replace(/\/+$/, '');
  const url = named ?? `http://${config.host}:${config.port}`;
  if (await isReady(url)) {
    print(dim(`Using the server at ${url}.`));
    return { url, platformKey: await platformKeyOf(config), stop: null };
  }
  if (named !== undefined) throw new Error(`no Tributary is ready at ${named}: its /readyz does not answer 200`);
  print(dim('No server runs here: starting one.'));
  const stack = await startStack(signal);
  return { ...stack, platformKey: await platformKeyOf(config) };
}

async function isReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    return answer.ok;
  } catch {
    return false;
  }
}

/** Its own key, or the one that `npm start` keeps. */
async function platformKeyOf({ platformApiKey, dataDir }: Config): Promise<string> {
  if (platformApiKey !== null) return platformApiKey;
  const path = join(dataDir, 'platform-api-key');
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch {
    throw new Error(`the platform key is not known: set PLATFORM_API_KEY, or DATA_DIR so that ${path} can be read`);
  }
}

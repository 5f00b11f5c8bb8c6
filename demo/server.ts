import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Config, readConfig } from '../src/config.ts';
import { dim, print } from './layout.ts';

/** A server that the demo drives. */
export interface DemoServer {
  readonly url: string;
  readonly platformKey: string;
  /** Stops it; null for one that ran before the demo came. */
  readonly stop: (() => Promise<void>) | null;
}

const ANSWER_WITHIN_MS = 3_000;

/**
 * The server at TRIBUTARY_URL, else the one that `npm start` would make here when it runs already, else one started in this
 * process.
 *
 * @throws in one line when TRIBUTARY_URL does not answer, or when its platform key is not known.
 */
export async function findServer(): Promise<DemoServer> {
  const config = readConfig();
  const named = process.env['TRIBUTARY_URL']?.replace(/\/+$/, '');
  const url = named ?? `http://${config.host}:${config.port}`;
  if (await isReady(url)) {
    print(dim(`Using the server at ${url}.`));
    return { url, platformKey: await platformKeyOf(config), stop: null };
  }
  if (named !== undefined)
    throw new Error(`No Tributary is ready at ${named}: GET ${named}/readyz does not answer 200.`);
  return startHere(config);
}

async function isReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    return answer.ok;
  } catch {
    return false;
  }
}

async function platformKeyOf({ platformApiKey, dataDir }: Config): Promise<string> {
  if (platformApiKey !== null) return platformApiKey;
  const path = join(dataDir, 'platform-api-key');
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch {
    throw new Error(`The platform key is not known: set PLATFORM_API_KEY, or DATA_DIR so that ${path} can be read.`);
  }
}

/** Starting is loaded only when it is needed. */
async function startHere(config: Config): Promise<DemoServer> {
  const { startAll } = await import('../src/start.ts');
  const started = await startAll(config);
  return { url: started.url, platformKey: started.platformApiKey, stop: started.stop };
}

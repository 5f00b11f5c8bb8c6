import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { environmentWith, machinePaths } from '../../../src/config.ts';
import { choosePorts } from '../../../src/runtime/ports.ts';
import { runProgram, startProcess } from '../../../src/runtime/processes.ts';
import { until } from '../../../src/runtime/until.ts';

const VERSION = '2.12.0';
const MODULE = `github.com/Shopify/toxiproxy/v2/cmd/server@v${VERSION}`;
/** Where Go is installed when it is not on the search path. */
const GO_HOMES = ['/usr/local/go/bin', '/usr/lib/go/bin', '/opt/homebrew/bin'];

/** What goes wrong on the way; see the list of toxics in Toxiproxy's documentation for the attributes. */
export interface Toxic {
  readonly type: 'latency' | 'bandwidth' | 'reset_peer' | 'limit_data' | 'timeout';
  /** `downstream`: what the server answers; `upstream`: what it is asked. */
  readonly stream: 'upstream' | 'downstream';
  readonly attributes: Readonly<Record<string, number>>;
}

/** One way through the proxy, to one server. */
export interface Route {
  /** `host:port` to connect to in place of the server's own. */
  readonly address: string;
  /** Spoils the connections there are and those that are made later. */
  spoil(...toxics: readonly Toxic[]): Promise<void>;
  /** Closes every connection and refuses new ones. */
  cut(): Promise<void>;
  /** From now on the network is well. Connections that were silenced are closed. */
  heal(): Promise<void>;
}

/** The network between two parts, in our hands. */
export interface Toxiproxy {
  route(upstream: string): Promise<Route>;
  stop(): Promise<void>;
}

/** No byte comes through in either direction, and nobody closes the connection: as behind a switch that lost its power. */
export const SILENCE: readonly Toxic[] = [
  { type: 'timeout', stream: 'upstream', attributes: { timeout: 0 } },
  { type: 'timeout', stream: 'downstream', attributes: { timeout: 0 } },
];

/** A connection string that leads through a route. */
export const through = (url: string, route: Route): string =>
  Object.assign(new URL(url), { host: route.address }).toString();

/** Starts Toxiproxy on free ports of the loopback; builds it with Go once on a machine. */
export async function startToxiproxy(): Promise<Toxiproxy> {
  const command = await findToxiproxy();
  const folder = await mkdtemp(join(tmpdir(), 'tributary-toxiproxy-'));
  const { control } = await choosePorts(null, ['control']);
  const server = await startProcess({
    name: 'Toxiproxy',
    command,
    args: ['-host', '127.0.0.1', '-port', String(control)],
    logFile: join(folder, 'toxiproxy.log'),
  });
  const api = `http://127.0.0.1:${control}`;
  await until({
    ask: async () => (await fetch(`${api}/version`)).ok,
    withinMs: 10_000,
    giveUp: () => server.assertRunning(),
  });
  let routes = 0;
  return {
    route: (upstream) => openRoute(api, { name: `route${(routes += 1)}`, upstream }),
    stop: async () => {
      await server.stop(['SIGTERM', 'SIGKILL'], 5_000);
      await rm(folder, { recursive: true });
    },
  };
}

async function openRoute(api: string, { name, upstream }: { name: string; upstream: string }): Promise<Route> {
  const { listen } = await tell(`${api}/proxies`, 'POST', { name, upstream, listen: '127.0.0.1:0', enabled: true });
  const proxy = `${api}/proxies/${name}`;
  const turn = (enabled: boolean) => tell(proxy, 'POST', { enabled });
  return {
    address: listen,
    spoil: async (...list) => {
      for (const toxic of list)
        await tell(`${proxy}/toxics`, 'POST', { ...toxic, name: `${toxic.type}-${toxic.stream}` });
    },
    cut: () => turn(false),
    heal: async () => {
      for (const toxic of await tell(`${proxy}/toxics`, 'GET')) await tell(`${proxy}/toxics/${toxic.name}`, 'DELETE');
      await turn(true);
    },
  };
}

// oxlint-disable-next-line typescript/no-explicit-any -- whatever the proxy answers
async function tell(url: string, method: string, body?: object): Promise<any> {
  const answer = await fetch(url, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`Toxiproxy: ${method} ${url}: ${answer.status} ${text}`);
  return text === '' ? null : JSON.parse(text);
}

/** Cached outside the checkout; moved there when it is whole, so that two that build at once do no harm. */
async function findToxiproxy(): Promise<string> {
  const { searchPath, cacheHome } = machinePaths();
  const folder = join(cacheHome ?? join(homedir(), '.cache'), 'tributary', `toxiproxy-${VERSION}`);
  const program = join(folder, 'toxiproxy-server');
  if (await exists(program)) return program;
  await mkdir(folder, { recursive: true });
  const draft = await mkdtemp(join(folder, 'draft-'));
  process.stderr.write(`building Toxiproxy ${VERSION} with Go, about a minute …\n`);
  try {
    const env = environmentWith({ GOBIN: draft, PATH: [...searchPath, ...GO_HOMES].join(delimiter) });
    await runProgram('go', ['install', MODULE], { env });
    await rename(join(draft, 'server'), program);
  } catch (cause) {
    const { code, stderr } = cause as { code?: unknown; stderr?: string };
    const reason = code === 'ENOENT' ? 'Go is not installed' : (stderr?.trim().split('\n').at(-1) ?? String(cause));
    throw new Error(`No Toxiproxy: ${reason}. Install Go 1.23 or newer, or put the program at ${program}.`, { cause });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return program;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

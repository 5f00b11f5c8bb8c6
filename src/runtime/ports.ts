import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';

/** Whether nobody listens on a port of this address. */
export const isPortFree = (host: string, port: number): Promise<boolean> =>
  listenOnce(host, port).then(
    () => true,
    () => false,
  );

/**
 * Ports on 127.0.0.1, one for each name: those of the last time where they are still free, so that an address that somebody
 * noted stays good, and any free ones otherwise.
 *
 * @param file  where they are remembered; null to remember nothing.
 */
export async function choosePorts<Name extends string>(
  file: string | null,
  names: readonly Name[],
): Promise<Record<Name, number>> {
  const earlier = file === null ? {} : await readPorts(file);
  const chosen: [string, number][] = [];
  for (const name of names) {
    const port = earlier[name];
    const isGood = port !== undefined && (await isPortFree('127.0.0.1', port));
    chosen.push([name, isGood ? port : await listenOnce('127.0.0.1', 0)]);
  }
  const ports = Object.fromEntries(chosen) as Record<Name, number>;
  if (file !== null) await writeFile(file, `${JSON.stringify(ports)}\n`);
  return ports;
}

async function readPorts(file: string): Promise<Record<string, number>> {
  try {
    const read: unknown = JSON.parse(await readFile(file, 'utf8'));
    return Object.fromEntries(Object.entries(read ?? {}).filter(([, port]) => Number.isInteger(port)));
  } catch {
    return {};
  }
}

const listenOnce = (host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : port));
    });
  });

import { type DestinationStream, type Logger, pino, type SerializedError, stdSerializers } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from '../config.ts';
import { tellable, tellableStack } from '../db/failures.ts';

/**
 * The log of a process on standard error: for people on a terminal, JSON lines otherwise. Errors are logged without the rows
 * and values that the database tells of.
 *
 * @param destination where JSON lines go instead.
 */
export function createLog(level: Config['logLevel'], destination?: DestinationStream): Logger {
  const options = { level, serializers: { err: describeError } };
  if (destination !== undefined) return pino(options, destination);
  if (!process.stderr.isTTY) return pino(options, pino.destination({ fd: 2, sync: true }));
  const forPeople = pretty({ destination: 2, sync: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' });
  return pino(options, forPeople);
}

/** What of an error beyond its message tells where it comes from, and never what somebody wrote. */
const TOLD = ['code', 'severity', 'schema', 'table', 'column', 'dataType', 'constraint', 'routine', 'errno', 'syscall'];

/** An error as it is logged: its type, message and stack, and of a driver's failure what names the place. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { type, ...rest } = stdSerializers.err(error) as SerializedError & Record<string, unknown>;
  const told = Object.fromEntries(Object.entries(rest).filter(([name]) => TOLD.includes(name)));
  return { type, message: tellable(error), stack: tellableStack(error), ...told };
}

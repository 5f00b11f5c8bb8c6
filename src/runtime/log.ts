import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from '../config.ts';

/** The log of a process on standard error: for people on a terminal, JSON lines otherwise. */
export function createLog(level: Config['logLevel']): Logger {
  if (!process.stderr.isTTY) return pino({ level }, pino.destination({ fd: 2, sync: true }));
  const forPeople = pretty({ destination: 2, sync: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' });
  return pino({ level }, forPeople);
}

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** What a process counted since it began. */
export type Counts = Readonly<Record<string, number>>;

/** Work in a process of its own, so that its CPU time is its own. */
export interface BenchChild {
  readonly pid: number;
  counts(): Promise<Counts>;
  stop(): Promise<void>;
}

/** What the work in a child process offers. */
export interface ChildWork {
  counts(): Counts;
  stop(): Promise<void>;
}

type Request<Job> = { readonly job: Job } | { readonly ask: 'counts' | 'stop' };
type Reply = { readonly is: 'ready' | 'stopped' } | { readonly counts: Counts } | { readonly failure: string };

/**
 * Starts a file that calls `workAsChild`, and waits until it is ready.
 *
 * @throws with the child's message when it does not get ready.
 */
export async function startChild(file: URL, job: object): Promise<BenchChild> {
  const child = fork(file, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const ended = once(child, 'exit');
  const ask = askInTurn(child);
  await ask({ job });
  const counts = async () => {
    const reply = await ask({ ask: 'counts' });
    return 'counts' in reply ? reply.counts : {};
  };
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    await ask({ ask: 'stop' });
    child.disconnect();
    await ended;
  };
  return { pid: child.pid as number, counts, stop };
}

/** Answers come in the order of the requests; when the child ends, what was asked fails. */
function askInTurn(child: ChildProcess): (request: Request<object>) => Promise<Reply> {
  const asked: PromiseWithResolvers<Reply>[] = [];
  child.on('message', (reply: Reply) => {
    const next = asked.shift();
    if ('failure' in reply) next?.reject(new Error(reply.failure));
    else next?.resolve(reply);
  });
  child.on('exit', (code) => {
    for (const one of asked.splice(0)) one.reject(new Error(`A process of the bench ended with code ${code}.`));
  });
  return (request) => {
    const answer = Promise.withResolvers<Reply>();
    asked.push(answer);
    child.send(request);
    return answer.promise;
  };
}

/** Runs in the child: takes one job, answers what is asked, ends when told to or when the bench is gone. */
export function workAsChild<Job>(start: (job: Job) => Promise<ChildWork>): void {
  let work: ChildWork | null = null;
  const tell = (reply: Reply): void => void process.send?.(reply);
  const answer = async (request: Request<Job>): Promise<void> => {
    if ('job' in request) {
      work = await start(request.job);
      tell({ is: 'ready' });
    } else if (request.ask === 'counts') tell({ counts: work?.counts() ?? {} });
    else {
      await work?.stop();
      tell({ is: 'stopped' });
    }
  };
  process.on('message', (request: Request<Job>) => {
    answer(request).catch((error: Error) => tell({ failure: error.message }));
  });
  process.once('disconnect', () => process.exit());
}

import { type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { ApiProblem, PROBLEM_TYPE, toProblem } from './problem.ts';

type Fault = readonly [status: number, code: string, detail: string];

const FAULTS: Readonly<Record<string, Fault>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'request.timeout', 'The request did not arrive in time. Send it again, faster.'],
  HPE_HEADER_OVERFLOW: [431, 'request.headers_too_large', 'URL and headers are larger than 16 kB. Send less.'],
};
const NOT_HTTP: Fault = [400, 'request.malformed', 'This is not HTTP.'];

/** Answers what the HTTP server itself refuses, before there is a whole request: a problem like any other; then it hangs up. */
export function answerUnreadable(server: Server): void {
  const latest = new WeakMap<Socket, ServerResponse>();
  server.on('request', (request, response) => void latest.set(request.socket, response));
  server.on('clientError', (error: NodeJS.ErrnoException, stream) => {
    const socket = stream as Socket;
    const response = latest.get(socket);
    const isAnswering = response !== undefined && response.headersSent && !response.writableFinished;
    if (socket.writable && !isAnswering) socket.end(refusal(FAULTS[error.code ?? ''] ?? NOT_HTTP));
    else socket.destroy();
  });
}

function refusal([status, code, detail]: Fault): string {
  const body = JSON.stringify(toProblem(new ApiProblem(status, code, detail), '').body);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Content-Type: ${PROBLEM_TYPE}; charset=utf-8`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    'Connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

// brant mcp over HTTP on loopback, for clients that speak nothing else: the conformance kit. What comes and goes is passed on as it is; HTTP itself (status, headers, streams) is the bridge's.
// Of versions with a handshake each session has a process and the SDK's transport; requests that say their version in _meta all go to one process.
import { randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';

const META = 'io.modelcontextprotocol/';

function serve(command, args, onmessage) {
  const server = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  server.stdin.on('error', () => {});
  createInterface({ input: server.stdout }).on('line', (line) => onmessage(JSON.parse(line)));
  return { send: (message) => server.stdin.write(`${JSON.stringify(message)}\n`), end: () => server.stdin.end() };
}

const STATUS = { '-32700': 400, '-32600': 400, '-32601': 404, '-32602': 400, '-32020': 400, '-32021': 400, '-32022': 400 };

// Requests of many connections over one process: each has an id of the bridge's own there.
function stateless(command, args, translate) {
  const waiting = new Map();
  let last = 0;
  const inner = serve(command, args, (message) => {
    const token = message.params?.progressToken, subscription = message.params?._meta?.[`${META}subscriptionId`];
    const one = waiting.get(message.id ?? subscription ?? token);
    if (!one) return;
    const own = structuredClone(message);
    if (own.id !== undefined) own.id = one.id;
    if (subscription !== undefined) own.params._meta[`${META}subscriptionId`] = one.id;
    if (token !== undefined) own.params.progressToken = one.token;
    one.take(own);
  });
  return {
    end: inner.end,
    handle(request, response, message) {
      const answer = (status, body) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      const fail = (code, text) => answer(400, { jsonrpc: '2.0', id: message.id, error: { code, message: text } });
      if (message.id === undefined) return void response.writeHead(202).end();
      const meta = message.params?._meta ?? {};
      const version = request.headers['mcp-protocol-version'];
      if (meta[`${META}protocolVersion`] !== undefined && version !== meta[`${META}protocolVersion`]) return fail(-32020, 'MCP-Protocol-Version is not that of _meta');
      if (request.headers['mcp-method'] !== message.method) return fail(-32020, 'Mcp-Method is not that of the request');
      const id = ++last;
      const sent = structuredClone({ ...message, id });
      if (meta.progressToken !== undefined) sent.params._meta.progressToken = id;
      let open = false;
      waiting.set(id, {
        id: message.id,
        token: meta.progressToken,
        take(one) {
          const ends = one.id !== undefined;
          if (ends) waiting.delete(id);
          if (ends && !open) return answer(one.error ? (STATUS[one.error.code] ?? 200) : 200, one);
          if (!open) response.writeHead(200, { 'content-type': 'text/event-stream' });
          open = true;
          response.write(`event: message\ndata: ${JSON.stringify(one)}\n\n`);
          if (ends) response.end();
        },
      });
      response.on('close', () => {
        if (waiting.delete(id)) inner.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } });
      });
      inner.send(translate(sent));
    },
  };
}

// Answers {url, close()}. `translate` may change a client's message before it is passed on.
export async function bridge(command, args, translate = (message) => message) {
  const sessions = new Map();
  const modern = stateless(command, args, translate);
  const session = async () => {
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: randomUUID, onsessioninitialized: (id) => sessions.set(id, { transport, inner }) });
    const inner = serve(command, args, (message) => {
      // What tells of a call goes where its answer will; the rest where the client listens.
      const related = message.params?.progressToken === undefined ? undefined : tokens.get(message.params.progressToken);
      transport.send(message, related === undefined ? undefined : { relatedRequestId: related }).catch(() => {});
    });
    const tokens = new Map();
    transport.onmessage = (message) => {
      if (message.params?._meta?.progressToken !== undefined) tokens.set(message.params._meta.progressToken, message.id);
      inner.send(translate(message));
    };
    transport.onclose = inner.end;
    await transport.start();
    return transport;
  };
  const server = createServer(async (request, response) => {
    try {
      const parts = [];
      for await (const part of request) parts.push(part);
      const body = parts.length ? JSON.parse(Buffer.concat(parts).toString()) : undefined;
      const known = sessions.get(request.headers['mcp-session-id']);
      if (known) return void (await known.transport.handleRequest(request, response, body));
      if (body?.method === 'initialize' && !body.params?._meta?.[`${META}protocolVersion`]) return void (await (await session()).handleRequest(request, response, body));
      if (request.method === 'POST' && body?.method) return void modern.handle(request, response, body);
      response.writeHead(request.headers['mcp-session-id'] ? 404 : 405).end();
    } catch (error) {
      if (!response.headersSent) response.writeHead(400);
      response.end(String(error));
    }
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${server.address().port}/mcp`,
    async close() {
      modern.end();
      for (const { transport } of sessions.values()) await transport.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

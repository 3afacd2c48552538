/** Listeners on loopback that write down who came. */
import { createServer, type AddressInfo, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll } from 'vitest';

const servers = new Set<Server>();

export class Listener {
  readonly port: number;
  readonly #server: Server;
  #connections = 0;
  #received = '';

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket) => {
      this.#connections++;
      socket.on('data', (data) => { this.#received += String(data); });
      socket.on('error', () => undefined);
    });
  }

  static async open(): Promise<Listener> {
    const server = createServer();
    servers.add(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return new Listener(server);
  }

  /** What has come so far, after a moment for what is under way. */
  async log(): Promise<{ connections: number; received: string }> {
    await sleep(50);
    return { connections: this.#connections, received: this.#received };
  }

  /** A port that nobody listens on: this one's, after it. */
  async close(): Promise<number> {
    servers.delete(this.#server);
    await new Promise((resolve) => this.#server.close(resolve));
    return this.port;
  }
}

afterAll(() => {
  for (const server of servers) server.close();
});

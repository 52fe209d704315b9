/** Requests one after the other over one connection: an answer that says where it ends wrongly spoils the next one. */
import { Agent, type IncomingMessage, request } from 'node:http';

export interface Exchange {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  /** Whether the connection of the request before was used. */
  readonly isReused: boolean;
}

export class OneConnection {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** @throws Error when the answer breaks the rules of HTTP, or ends before its end */
  ask(path: string, method = 'GET'): Promise<Exchange> {
    return new Promise((resolve, reject) => {
      const asked = request(this.#url + path, { agent: this.#agent, method }, async (response) => {
        try {
          let text = '';
          for await (const chunk of response.setEncoding('utf8')) text += chunk;
          const { statusCode: status = 0, headers } = response;
          resolve({ status, headers, text, isReused: asked.reusedSocket });
        } catch (error) {
          reject(error);
        }
      });
      asked.on('error', reject);
      asked.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

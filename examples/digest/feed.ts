import { UnrecoverableError } from '@plexichat/sdk';

export interface Message {
  readonly channel: string;
  readonly text: string;
}

export interface Page {
  readonly number: number;
  /** How many there are. */
  readonly pages: number;
  readonly messages: readonly Message[];
}

/** A feed that has more is not read to its end: a run has a deadline and a memory. */
const MAX_PAGES = 100;

/**
 * One page after the other, so that only one is in memory.
 * @param ask fetches the page of that number
 * @throws UnrecoverableError when the feed is gone; Error when it cannot be read now
 */
export async function* readFeed(ask: (page: number) => Promise<Response>): AsyncGenerator<Page> {
  for (let number = 1, pages = 1; number <= pages; number++) {
    const page = readPage(number, await readAnswer(await ask(number), `page ${number} of the feed`));
    pages = page.pages;
    yield page;
  }
}

/** @throws UnrecoverableError for 410: nothing that comes later will change that; Error for what may go well next time */
export async function readAnswer(reply: Response, what: string): Promise<unknown> {
  if (reply.status === 410) throw new UnrecoverableError(`The chat service says that ${what} is gone for good.`);
  if (!reply.ok) throw new Error(`The chat service answered ${reply.status} for ${what}.`);
  return reply.json();
}

/** What another service sent is checked before it is counted. */
function readPage(number: number, answer: unknown): Page {
  const { pages, messages } = (answer ?? {}) as { pages?: unknown; messages?: unknown };
  if (typeof pages !== 'number' || !Array.isArray(messages) || !messages.every(isMessage)) {
    throw new Error(`The chat service sent a page ${number} that is no page of messages.`);
  }
  return { number, pages: Math.min(pages, MAX_PAGES), messages };
}

function isMessage(value: unknown): value is Message {
  const { channel, text } = (value ?? {}) as { channel?: unknown; text?: unknown };
  return typeof channel === 'string' && typeof text === 'string';
}

/** Server-sent events of an answer, one by one, and when the stream is over. As our hosts write them: one line for each field. */
export interface ReadEvent {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: Record<string, unknown>;
}

export interface EventReader {
  /** Those that came so far. */
  readonly events: readonly ReadEvent[];
  readonly comments: readonly string[];
  readonly isOver: () => boolean;
  cancel(): Promise<void>;
}

/** Reads until the end, or until `cancel`. */
export function readEvents(response: Response): EventReader {
  const events: ReadEvent[] = [];
  const comments: string[] = [];
  let rest = '';
  const take = (text: string): void => {
    const blocks = (rest + text).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const lines = new Map(
        block.split('\n').map((line) => [line.split(': ')[0] ?? '', line.slice(line.indexOf(': ') + 2)]),
      );
      const data = lines.get('data');
      if (data !== undefined) events.push({ id: lines.get('id'), event: lines.get('event'), data: JSON.parse(data) });
      else if (block.startsWith(':')) comments.push(block.slice(2));
    }
  };
  let isOver = false;
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  const read = async (): Promise<void> => {
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
      if (done) return;
      take(decoder.decode(value, { stream: true }));
    }
  };
  void read()
    .catch(() => {})
    .finally(() => {
      isOver = true;
    });
  return { events, comments, isOver: () => isOver, cancel: async () => reader?.cancel() };
}

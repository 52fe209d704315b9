/**
 * What operators may ask the board for. The board itself would take any number, and load so many jobs into this process;
 * who may only look could exhaust the host.
 */
import { Type } from 'typebox';
import { parseQuery } from '../policy/query.ts';
import { readSchema } from '../policy/schema.ts';
import { compileRecord, type InputRules, validateInput } from '../policy/validate.ts';

export interface BoardRead {
  /** Its query as the board may have it; without a question mark. */
  readonly search: string;
  /** Goes through many jobs. */
  readonly isList: boolean;
}

type Query = Readonly<Record<string, unknown>>;

interface Read {
  /** Below the board's `/api`. */
  readonly path: RegExp;
  readonly isList: boolean;
  readonly rules: InputRules;
  readonly within?: (query: Query) => Query;
}

/** The board's settings let people choose up to 300 jobs: that is no fault of theirs, they get fewer. */
const MAX_CHOICE = 300;
const MAX_JOBS = 100;
/** Of each state, when all states are asked for. */
const MAX_LATEST_JOBS = 20;
const MAX_PAGE = 100_000;
/** The board asks for so many. */
const MAX_CHILDREN_CHOICE = 1000;
const MAX_CHILDREN = 100;
const STATES = ['active', 'waiting', 'waiting-children', 'prioritized', 'completed', 'failed', 'delayed'] as const;

/** No percent sign: the board decodes it once more. */
const QueueName = Type.String({ pattern: '^[A-Za-z0-9_.:-]{1,200}$' });
const upTo = (maximum: number) => Type.Integer({ minimum: 1, maximum });

const READS: readonly Read[] = [
  {
    path: /^\/queues$/,
    isList: true,
    rules: rulesFor({
      activeQueue: QueueName,
      status: Type.Enum(['latest', ...STATES]),
      page: upTo(MAX_PAGE),
      jobsPerPage: upTo(MAX_CHOICE),
    }),
    within: ({ jobsPerPage = 10, ...query }) => {
      const isLatest = query.status === undefined || query.status === 'latest';
      return { ...query, jobsPerPage: Math.min(Number(jobsPerPage), isLatest ? MAX_LATEST_JOBS : MAX_JOBS) };
    },
  },
  { path: /^\/job-schedulers$/, isList: true, rules: rulesFor({ queueName: QueueName }) },
  {
    path: /^\/queues\/[^/]+\/[^/]+\/flow$/,
    isList: false,
    rules: rulesFor({ root: Type.Literal('node'), depth: upTo(20), maxChildren: upTo(MAX_CHILDREN_CHOICE) }),
    within: ({ maxChildren = MAX_CHILDREN, ...query }) => ({
      ...query,
      maxChildren: Math.min(Number(maxChildren), MAX_CHILDREN),
    }),
  },
];
const OTHER: Pick<Read, 'isList' | 'rules' | 'within'> = { isList: false, rules: rulesFor({}) };

/** Boundary: names and values by an allow-list; what is unknown here is refused. @throws PlexiError INVALID_INPUT */
export function readBoardQuery(path: string, url: string): BoardRead {
  const { isList, rules, within = (query: Query) => query } = READS.find((read) => read.path.test(path)) ?? OTHER;
  const { query } = validateInput(rules, {}, given(url), undefined);
  const pairs = Object.entries(within(query)).map(([name, value]) => [name, String(value)]);
  return { search: new URLSearchParams(pairs).toString(), isList };
}

/** The board's page sends empty values for what it does not ask for. */
function given(url: string) {
  const all = Object.entries(parseQuery(new URL(url).search.slice(1)));
  return Object.fromEntries(all.filter(([, value]) => value !== ''));
}

function rulesFor(properties: Parameters<typeof Type.Object>[0]): InputRules {
  const schema = Type.Partial(Type.Object(properties), { additionalProperties: false });
  return { query: compileRecord(readSchema(schema)) };
}

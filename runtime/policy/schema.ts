/**
 * Reads a JSON Schema that a guest wrote. Boundary: a schema is guest output, so only an allow-listed, bounded
 * subset is taken, nothing of it is ever turned into code, and what the host cannot run safely is refused at load.
 */
import { nestsDeeperThan } from '@plexichat/sdk/protocol/json-depth';
import { KEYWORDS, type Place, SUPPORTED_KEYWORDS } from './schema-keywords.ts';
import type { SchemaBudget, SchemaNode } from './schema-node.ts';

export const createSchemaBudget = (): SchemaBudget => ({
  nodes: 20_000,
  characters: 512 * 1024,
  patternSize: 20_000,
});

const MAX_SCHEMA_BYTES = 64 * 1024;
const MAX_DEPTH = 16;
/** Of the text: what no keyword walks (examples, a $defs that nobody refers to) is shown to people all the same. */
const MAX_TEXT_DEPTH = 48;
const MAX_NODES = 2000;
const MAX_PROBLEMS = 20;

interface Reader {
  readonly budget: SchemaBudget;
  readonly problems: string[];
  readonly definitions: ReadonlyMap<string, unknown>;
  readonly openReferences: Set<string>;
  nodesLeft: number;
}

/** @throws SchemaRefusedError that lists everything that is wrong */
export function readSchema(schema: unknown, budget: SchemaBudget = createSchemaBudget()): SchemaNode {
  try {
    return readBounded(schema, budget);
  } catch (error) {
    // Values inside enum and default can be nested deeper than the stack is.
    if (error instanceof RangeError) throw new SchemaRefusedError(['/ is nested too deep']);
    throw error;
  }
}

export class SchemaRefusedError extends Error {
  override readonly name = 'SchemaRefusedError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('; '));
    this.problems = problems;
  }
}

function readBounded(schema: unknown, budget: SchemaBudget): SchemaNode {
  const text = JSON.stringify(schema) ?? '';
  if (text.length > MAX_SCHEMA_BYTES) {
    throw new SchemaRefusedError([`/ has ${text.length} bytes; at most ${MAX_SCHEMA_BYTES} are allowed`]);
  }
  budget.characters -= text.length;
  if (budget.characters < 0) {
    throw new SchemaRefusedError(['/ is one too many: the schemas of this module are too large together']);
  }
  if (nestsDeeperThan(text, MAX_TEXT_DEPTH)) throw new SchemaRefusedError(['/ is nested too deep']);
  const reader: Reader = {
    budget,
    problems: [],
    definitions: readDefinitions(schema),
    openReferences: new Set(),
    nodesLeft: MAX_NODES,
  };
  const node = readNode(reader, schema, '', 0);
  if (reader.problems.length > 0) throw new SchemaRefusedError(reader.problems);
  return node;
}

function readDefinitions(schema: unknown): ReadonlyMap<string, unknown> {
  const definitions = isRecord(schema) ? schema.$defs : undefined;
  return new Map(isRecord(definitions) ? Object.entries(definitions) : []);
}

function readNode(reader: Reader, schema: unknown, at: string, depth: number): SchemaNode {
  reader.nodesLeft -= 1;
  reader.budget.nodes -= 1;
  if (reader.nodesLeft < 0 || reader.budget.nodes < 0) return refuse(reader, at, 'has too many parts');
  if (depth > MAX_DEPTH) return refuse(reader, at, `is nested deeper than ${MAX_DEPTH} levels`);
  if (schema === true) return {};
  if (schema === false) return { never: true };
  if (!isRecord(schema)) return refuse(reader, at, 'must be an object or a boolean');
  if (schema.$ref !== undefined) return readReference(reader, schema.$ref, at, depth);
  const node: SchemaNode = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (reader.problems.length >= MAX_PROBLEMS) break;
    const place = placeOf(reader, schema, `${at}/${keyword}`, depth);
    const read = KEYWORDS.get(keyword);
    if (read === undefined) place.refuse(`is not a supported keyword; supported are ${SUPPORTED_KEYWORDS}`);
    else read(node, value, place);
  }
  return node;
}

/** References are written out in place; a circle has no end, so it is refused. */
function readReference(reader: Reader, reference: unknown, at: string, depth: number): SchemaNode {
  const name = typeof reference === 'string' ? reference.replace(/^#\/\$defs\//, '') : '';
  if (!reader.definitions.has(name)) return refuse(reader, `${at}/$ref`, 'must name an entry of the root $defs');
  if (reader.openReferences.has(name)) return refuse(reader, `${at}/$ref`, 'refers to itself; circles are not allowed');
  reader.openReferences.add(name);
  const node = readNode(reader, reader.definitions.get(name), `/$defs/${name}`, depth + 1);
  reader.openReferences.delete(name);
  return node;
}

function placeOf(reader: Reader, schema: Readonly<Record<string, unknown>>, at: string, depth: number): Place {
  return {
    schema,
    budget: reader.budget,
    refuse: (what) => void refuse(reader, at, what),
    child: (inner, below) => readNode(reader, inner, below === undefined ? at : `${at}/${below}`, depth + 1),
  };
}

function refuse(reader: Reader, at: string, what: string): SchemaNode {
  if (reader.problems.length < MAX_PROBLEMS) reader.problems.push(`${at || '/'} ${what}`);
  return { never: true };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

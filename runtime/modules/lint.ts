/** Refuses syntax that the sealed realm cannot contain. Runs on the bundler's OUTPUT, and again when it is loaded. */
import { type Node, parse } from 'acorn';

export interface LintFinding {
  /** In the bundle, from 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  readonly message: string;
}

export const MAX_BUNDLE_BYTES = 5 * 1024 * 1024;

/** Empty when the code may run. What cannot be read is refused. */
export function lintBundle(code: string): LintFinding[] {
  const atStart = (message: string): LintFinding[] => [{ line: 1, column: 1, message }];
  if (Buffer.byteLength(code) > MAX_BUNDLE_BYTES) {
    const found = (Buffer.byteLength(code) / 1024 / 1024).toFixed(1);
    return atStart(`The bundle has ${found} MB; allowed are ${MAX_BUNDLE_BYTES / 1024 / 1024} MB.`);
  }
  try {
    // Boundary: what acorn cannot parse, V8 might: `import.source`, `import.defer`, `%natives`. So it never gets there.
    const program = parse(code, {
      ecmaVersion: 'latest',
      sourceType: 'script',
      allowReturnOutsideFunction: true,
      allowHashBang: false,
      locations: true,
    });
    return findForbidden(program);
  } catch (error) {
    if (error instanceof RangeError) return atStart('The code nests too deeply to be checked.');
    if (!isParseError(error)) throw error;
    const message = `This syntax is not allowed: ${error.message.replace(/ \(\d+:\d+\)$/, '')}.`;
    return [{ line: error.loc.line, column: error.loc.column + 1, message }];
  }
}

const FORBIDDEN: Readonly<Record<string, string>> = {
  ImportExpression: 'import() is not possible in a module: use a static import, it is bundled in.',
  MetaProperty: 'import.meta is not available in a module.',
  WithStatement: '"with" is not allowed.',
  ImportDeclaration: 'An import was left in the bundle.',
  ExportNamedDeclaration: 'An export was left in the bundle.',
  ExportDefaultDeclaration: 'An export was left in the bundle.',
  ExportAllDeclaration: 'An export was left in the bundle.',
};

function findForbidden(program: Node): LintFinding[] {
  return nodesOf(program).flatMap((node) => {
    const message = Object.hasOwn(FORBIDDEN, node.type) && !isNewTarget(node) ? FORBIDDEN[node.type] : undefined;
    if (message === undefined || !node.loc) return [];
    return [{ line: node.loc.start.line, column: node.loc.start.column + 1, message }];
  });
}

/** Every node of a tree, in the order of the source; a list and no recursion, which deep nesting would end. */
export function nodesOf(program: Node): Node[] {
  const nodes: Node[] = [];
  const left: unknown[] = [program];
  while (left.length > 0) {
    const next = left.pop();
    if (isNode(next)) nodes.push(next);
    if (typeof next !== 'object' || next === null || next instanceof RegExp) continue;
    for (const child of Object.values(next).reverse())
      if (typeof child === 'object' && child !== null) left.push(child);
  }
  return nodes;
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function isNewTarget(node: Node): boolean {
  return (
    node.type === 'MetaProperty' &&
    'meta' in node &&
    isNode(node.meta) &&
    'name' in node.meta &&
    node.meta.name === 'new'
  );
}

function isParseError(error: unknown): error is SyntaxError & { loc: { line: number; column: number } } {
  return error instanceof SyntaxError && 'loc' in error;
}

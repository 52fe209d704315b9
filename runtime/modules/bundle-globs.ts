/**
 * `import('./texts/' + name)` makes esbuild search folders by itself, past our plugin: with `../../../` in it, those of
 * the host. So a name that is only known at run time may not climb; without climbing it stays in the module's folder.
 */
import { type Node, parse } from 'acorn';
import { transform } from 'esbuild';
import { isNode, nodesOf } from './lint.ts';

/** Where esbuild would search outside, in one sentence; undefined when it would not. */
export async function climbingImport(contents: string, loader: 'js' | 'ts'): Promise<string | undefined> {
  // Few files have any of these words; `require` may be spelt with escapes.
  if (!/\bimport\s*[(/.]|\brequire\b|\\u/.test(contents)) return undefined;
  let plain: string;
  try {
    // Removes types and folds constants, as the build does before it looks for such names.
    plain = (await transform(contents, { loader, target: 'es2022', tsconfigRaw: '{}', logLevel: 'silent' })).code;
  } catch {
    // The build stops at the same error, and says where it is.
    return undefined;
  }
  try {
    const climbs = nodesOf(parseEither(plain)).some((node) => climbingName(node) !== undefined);
    return climbs ? 'An import of a name that is only known at run time may not contain "..".' : undefined;
  } catch {
    // Boundary: what cannot be read here is not searched for.
    return 'The imports of this file cannot be checked: it nests too deeply, or has syntax that is not supported.';
  }
}

function parseEither(code: string): Node {
  const options = { ecmaVersion: 'latest', allowReturnOutsideFunction: true, allowAwaitOutsideFunction: true } as const;
  try {
    return parse(code, { ...options, sourceType: 'module' });
  } catch {
    return parse(code, { ...options, sourceType: 'script' });
  }
}

function climbingName(node: Node): string | undefined {
  const name = importedName(node);
  if (name === undefined || name.type === 'Literal') return undefined;
  // Joined without what lies between, so that "." + x + "." counts as well.
  const text = nodesOf(name).map(literalText).join('');
  return text.includes('..') ? text : undefined;
}

function importedName(node: Node): Node | undefined {
  if (node.type === 'ImportExpression' && 'source' in node && isNode(node.source)) return node.source;
  if (node.type !== 'CallExpression' || !('callee' in node) || !('arguments' in node)) return undefined;
  const [first]: unknown[] = Array.isArray(node.arguments) ? node.arguments : [];
  return isRequire(node.callee) && isNode(first) ? first : undefined;
}

/** `require` and `require.resolve`. */
function isRequire(callee: unknown): boolean {
  if (!isNode(callee)) return false;
  if (callee.type === 'MemberExpression' && 'object' in callee) return isRequire(callee.object);
  return callee.type === 'Identifier' && 'name' in callee && callee.name === 'require';
}

function literalText(node: Node): string {
  if (node.type === 'Literal' && 'value' in node) return String(node.value);
  if (node.type !== 'TemplateElement' || !('value' in node)) return '';
  const { value } = node;
  return typeof value === 'object' && value !== null && 'cooked' in value ? String(value.cooked) : '';
}

/** How much an operator can set for one module, and what no setting may hold. */
import type { InputIssue } from '@plexichat/sdk/protocol/errors';
import { isMap } from '../config/yaml-check.ts';
import type { Settings } from './settings-book.ts';

/** As JSON. */
export const MAX_SETTINGS = 64 * 1024;
/** The patterns of an author's schema may take a time that grows with the square of it. */
export const MAX_SETTING_TEXT = 16 * 1024;
export const MAX_VALUES = 2_000;
export const MAX_DEPTH = 12;
const MAX_KEY = 200;
/** Names of the prototype: none of them is a setting. */
const NO_KEY: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Boundary: nothing further down walks, keeps or hands on what did not pass here. */
export function findExcess(settings: Settings): InputIssue[] {
  const issues: InputIssue[] = [];
  let values = 0;
  const report = (path: string, message: string): void => void issues.push({ path, message });
  const visit = (value: unknown, path: string, depth: number): void => {
    values += 1;
    if (values > MAX_VALUES || issues.length > 20) return;
    if (depth > MAX_DEPTH) report(path, `must nest at most ${MAX_DEPTH} levels deep`);
    else if (typeof value === 'string') visitText(value, path);
    else if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) visit(item, `${path}/${index}`, depth + 1);
    } else if (isMap(value)) {
      for (const [key, below] of Object.entries(value)) {
        const problem = keyProblem(key);
        if (problem === undefined)
          visit(below, `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, depth + 1);
        else report(path, problem);
      }
    }
  };
  const visitText = (text: string, path: string): void => {
    if (text.length > MAX_SETTING_TEXT) report(path, `must have at most ${MAX_SETTING_TEXT} characters`);
    else if (text.includes('\0') || !text.isWellFormed()) report(path, 'must be text without NUL and half characters');
  };
  visit(settings, '/body/values', 0);
  if (values > MAX_VALUES) report('/body/values', `must have at most ${MAX_VALUES} values`);
  else if (issues.length === 0 && JSON.stringify(settings).length > MAX_SETTINGS) {
    report('/body/values', `must have at most ${MAX_SETTINGS} characters as JSON`);
  }
  return issues;
}

function keyProblem(key: string): string | undefined {
  if (key === '' || key.length > MAX_KEY) return `has a key that is empty or longer than ${MAX_KEY} characters`;
  if (NO_KEY.has(key)) return `has the key ${key}, which no setting can have`;
  return key.includes('\0') || !key.isWellFormed() ? 'has a key with NUL or half characters' : undefined;
}

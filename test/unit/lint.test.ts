import { expect, test } from 'vitest';
import { lintBundle, MAX_BUNDLE_BYTES } from '../../runtime/modules/lint.ts';

test('plain code may run', () => {
  expect(
    lintBundle('"use strict"; const a = class { #x = 1; constructor() { new.target; } }; return { default: a };'),
  ).toEqual([]);
});

test.each([
  ['import("x")', /import\(\)/],
  ['import /* a */\n ("x")', /import\(\)/],
  ['(0, () => import(a))()', /import\(\)/],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the text is code.
  ['`${import("x")}`', /import\(\)/],
  ['class A { [import("x")] = 1 }', /import\(\)/],
  ['import("x", { with: { type: "json" } })', /import\(\)/],
  ['import.meta', /./],
  ['import.source("x")', /./],
  ['import.defer("x")', /./],
  ['import source x from "x"', /./],
  ['import x from "x"', /./],
  ['export default 1', /./],
  ['with (a) {}', /with/],
  ['%DebugPrint(1)', /./],
  ['await 1', /./],
  ['}); (function () {', /./],
  ['})(); import("x"); (() => {', /./],
  ['#!/bin/sh', /./],
  ['\u0000', /./],
])('%s is refused', (code, message) => {
  const [finding] = lintBundle(code);
  expect(finding?.message).toMatch(message);
});

test('the place is that of the forbidden word', () => {
  expect(lintBundle('let a;\n  a = import("x");\nwith (a) {}')).toEqual([
    { line: 2, column: 7, message: expect.stringContaining('import()') },
    { line: 3, column: 1, message: expect.stringContaining('with') },
  ]);
});

test('words inside texts, comments and names are not syntax', () => {
  expect(
    lintBundle('a = "import(x)"; /* with (a) {} */ b = { with: 1, import: 2 }; b.import(3); return b.with'),
  ).toEqual([]);
});

test.each([
  ['brackets', `x = ${'['.repeat(200_000)}`],
  ['nested calls', `x${'(x'.repeat(200_000)}${')'.repeat(200_000)}`],
  ['a long chain of operators', `x = ${'1 + '.repeat(200_000)}1; import("x")`],
  ['nested blocks', `${'{'.repeat(200_000)}${'}'.repeat(200_000)}`],
])('%s without end are refused instead of a crash', (_, code) => {
  expect(lintBundle(code).length).toBeGreaterThan(0);
});

test('more than 5 MB is refused unread', () => {
  expect(lintBundle(' '.repeat(MAX_BUNDLE_BYTES + 1))[0]?.message).toMatch(/allowed are 5 MB/);
});

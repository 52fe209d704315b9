import { type Check, fail, type KindCheck, onlyFor } from './check.ts';
import type { SchemaNode } from './schema-node.ts';

export function numberChecks(node: SchemaNode): Check[] {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = node;
  const checks: KindCheck<number>[] = [];
  const add = (test: (value: number) => boolean, message: string) => {
    checks.push((value, run, at) => test(value) || fail(run, at, message));
  };
  if (minimum !== undefined) add((value) => value >= minimum, `must be at least ${minimum}`);
  if (maximum !== undefined) add((value) => value <= maximum, `must be at most ${maximum}`);
  if (exclusiveMinimum !== undefined) add((value) => value > exclusiveMinimum, `must be more than ${exclusiveMinimum}`);
  if (exclusiveMaximum !== undefined) add((value) => value < exclusiveMaximum, `must be less than ${exclusiveMaximum}`);
  if (multipleOf !== undefined) add((value) => isMultiple(value, multipleOf), `must be a multiple of ${multipleOf}`);
  return onlyFor(isNumber, checks);
}

/** 0.3 is a multiple of 0.1 for people, though not for binary fractions. */
function isMultiple(value: number, factor: number): boolean {
  const quotient = value / factor;
  return Math.abs(quotient - Math.round(quotient)) <= Math.abs(quotient) * Number.EPSILON * 4;
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

/** What the host answers about the lives of modules, as these commands read it. Keys that a newer host adds are let through. */
import { type Static, Type } from 'typebox';
import { ModuleViewSchema } from './module-answers.ts';

const Name = Type.String({ minLength: 1, maxLength: 400 });
const Moment = Type.Union([Type.String({ maxLength: 40 }), Type.Null()]);

export const InstalledSchema = Type.Intersect([ModuleViewSchema, Type.Object({ outcome: Name, package: Name })]);
export type InstalledAnswer = Static<typeof InstalledSchema>;

export const RemovedSchema = Type.Object({ name: Name, state: Name, data_kept_until: Moment });

const VersionSchema = Type.Object({
  version: Name,
  role: Name,
  publisher: Type.Union([Name, Type.Null()]),
  bytes: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  stored_at: Moment,
});
export type VersionAnswer = Static<typeof VersionSchema>;
export const VersionsSchema = Type.Object({ versions: Type.Array(VersionSchema, { maxItems: 10_000 }) });

/** What the host may call in a guest, and what crosses for it. Guest answers are foreign until a schema passed them. */
import { type Static, Type } from 'typebox';
import { DeclarationSchema } from './declaration.ts';
import type { EventOutcome, EventRequest } from './events.ts';
import type { BodyRef, EndpointRequest, Outcome } from './invocation.ts';
import type { MethodOutcome, MethodRequest } from './methods.ts';
import type { TaskOutcome, TaskRequest } from './tasks.ts';

const FailureSchema = Type.Object(
  {
    ok: Type.Literal(false),
    message: Type.String({ maxLength: 4000 }),
    stack: Type.Optional(Type.String({ maxLength: 20_000 })),
  },
  { additionalProperties: false },
);

/** How a step of a module's life ended. */
export const LifeAnswerSchema = Type.Union([
  Type.Object({ ok: Type.Literal(true) }, { additionalProperties: false }),
  FailureSchema,
]);
export type LifeAnswer = Static<typeof LifeAnswerSchema>;

export const DescribeAnswerSchema = Type.Union([
  Type.Object({ ok: Type.Literal(true), declaration: DeclarationSchema }, { additionalProperties: false }),
  FailureSchema,
]);
export type DescribeAnswer = Static<typeof DescribeAnswerSchema>;

export interface GuestApi {
  /** Loads the module's class and answers what it declares; runs nothing of its life. */
  describe(): Promise<DescribeAnswer>;
  initialize(): Promise<LifeAnswer>;
  invoke(request: EndpointRequest, body: BodyRef): Promise<Outcome>;
  /** Runs one task; `cancel` reaches it as it does an endpoint's handler. */
  runTask(request: TaskRequest, data: unknown): Promise<TaskOutcome>;
  /** Runs one handler of an event. */
  event(request: EventRequest, data: unknown): Promise<EventOutcome>;
  /** Runs a method that the module offers to others. */
  callMethod(request: MethodRequest, args: unknown): Promise<MethodOutcome>;
  /** Other settings from now on; the module's onSettingsChanged is done when it answers. */
  changeSettings(settings: unknown): Promise<LifeAnswer>;
  /** Aborts the signal of an invocation. That it answers at all shows that the guest yields. */
  cancel(invocation: number): Promise<boolean>;
  shutdown(): Promise<LifeAnswer>;
}

/** What the host answers to a capability call: never a throw, so that no stack and no class crosses. */
export type CallResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** What the kernel gets as text at boot. Written by the host. */
export interface GuestConfig {
  readonly manifest: unknown;
  /** Keep stack traces: opens a way to Node's own formatter, so only for modules that the operator chose. */
  readonly diagnostics: boolean;
  /** 32 bytes, hexadecimal: the seed of the guest's random numbers. */
  readonly seed: string;
}

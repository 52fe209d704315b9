/** A module of our own in a real cell: whether its realm is sealed, and whether it is ended when it asks for it. */
import { type Manifest, ManifestSchema } from '@plexichat/sdk/protocol/manifest';
import { Value } from 'typebox/value';
import { DEFAULT_QUOTA } from '../../bridge/quota.ts';
import { createLogCapability } from '../../capabilities/log.ts';
import type { CellFiles } from '../../cells/build.ts';
import type { EndReason, InstanceExit } from '../../cells/instance.ts';
import type { OpenJail } from '../../cells/jail/probe-jail.ts';
import { CellPool } from '../../cells/pool.ts';
import { createSpawner, type Spawn } from '../../cells/spawner.ts';
import { invokeGuest } from '../../modules/invoke-guest.ts';
import { createLog } from '../../observability/log.ts';
import { type Finding, failed, on } from './finding.ts';

export async function tryRealm(files: CellFiles, jail: OpenJail): Promise<readonly Finding[]> {
  const cells = new CellPool({ files, jail, cells: 1, onNoise: () => {} });
  const log = createLog({ level: 'silent', readable: false });
  const spawn = createSpawner({
    cells,
    capabilities: { log: createLogCapability({ write: () => {} }) },
    diagnostics: new Set(),
    fullJit: new Set(),
    quota: DEFAULT_QUOTA,
    onViolation: () => {},
    log,
  });
  try {
    const facts = await readFacts(spawn);
    // One after the other: each has the processor to itself, and the reason that is found is its own.
    const endings: Finding[] = [];
    for (const ending of ENDINGS) endings.push(await tryEnding(spawn, ending));
    return [...facts, ...endings];
  } finally {
    await cells.close();
  }
}

const BOOT_MS = 10_000;
const FACTS_MS = 2_000;
const OTHER_NODE = 'Run the host with the Node version that this release names.';

interface Fact {
  readonly name: string;
  /** An expression that is true in a sealed realm; `refused(run)` is true when V8 refuses to make code. */
  readonly holds: string;
  readonly meaning: string;
}

export const FACTS: readonly Fact[] = [
  {
    name: 'sealed realm',
    holds: `['process', 'require', 'module', 'Buffer', 'global', 'SharedArrayBuffer', 'MessagePort', 'WebAssembly']
      .every((name) => !(name in globalThis))
      && Object.getPrototypeOf(sdk.BaseModule) === Function.prototype`,
    meaning: 'A module sees ECMAScript and web globals of its own realm, and nothing of Node.',
  },
  {
    name: 'no evaluator',
    holds: `[() => eval('1'), () => Function('return 1')(), () => (async () => {}).constructor('')(),
      () => (function* () {}).constructor('')(), () => setTimeout('1')].every(refused)`,
    meaning: 'A module makes no code from text, so what was checked when it was installed is all that runs.',
  },
  {
    name: 'stack traces',
    holds: `(() => {
      const { value, writable, configurable } = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit') ?? {};
      Error.prepareStackTrace = () => 'mine';
      return value === undefined && writable === false && configurable === false
        && !/mine|\\n/.test(String(new Error('x').stack)) && delete Error.prepareStackTrace;
    })()`,
    meaning: "They are locked: Node's own formatter of stacks is the widest way out of a realm.",
  },
];

const MODULE = `
  const refused = (run) => { try { run(); return false; } catch (error) { return error instanceof EvalError || error instanceof TypeError; } };
  class Probe extends sdk.BaseModule {
    setupRoutes() {
      this.router.get('/facts', () => [${FACTS.map(({ holds }) => `(${holds}) === true`).join(', ')}]);
      this.router.get('/loop', () => { for (;;); });
      this.router.get('/heap', () => { const kept = []; for (;;) kept.push({ kept: kept.length }); });
      this.router.get('/buffers', async () => {
        const kept = [];
        for (;;) { kept.push(new Uint8Array(4e6).fill(1)); await new Promise((resolve) => setTimeout(resolve, 1)); }
      });
    }
  }
  return { default: Probe };`;

async function readFacts(spawn: Spawn): Promise<Finding[]> {
  const guest = start(spawn);
  try {
    await guest.instance.initialize(BOOT_MS);
    const answer: unknown = JSON.parse(await guest.call('/facts', FACTS_MS));
    const facts = Array.isArray(answer) ? answer : [];
    return FACTS.map(({ name, meaning }, index) =>
      facts[index] === true
        ? on(name, meaning)
        : failed(name, 'platform', `Does not hold here: ${meaning}`, OTHER_NODE),
    );
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [failed('sealed realm', 'platform', `No module can be run here: ${why}`, OTHER_NODE)];
  } finally {
    guest.instance.terminate('terminated', 'the test is over');
  }
}

interface Ending {
  readonly name: string;
  readonly path: string;
  readonly deadlineMs: number;
  /** Of processor time. */
  readonly cpuMs?: number;
  /** What the host says of the end; anything else may be luck. */
  readonly reasons: readonly EndReason[];
  readonly meaning: string;
}

const ENDINGS: readonly Ending[] = [
  {
    name: 'deadline',
    path: '/loop',
    deadlineMs: 100,
    reasons: ['stuck'],
    meaning: 'A module that does not yield after its deadline is ended, and its neighbours go on.',
  },
  {
    name: 'processor watch',
    path: '/loop',
    deadlineMs: 5_000,
    cpuMs: 100,
    reasons: ['cpu_budget', 'cpu'],
    meaning: 'A module that used up its processor time (runtime.cpu_ms) is ended before its deadline.',
  },
  {
    name: 'heap limit',
    path: '/heap',
    deadlineMs: 5_000,
    reasons: ['heap'],
    meaning: 'A module that fills its heap is ended alone.',
  },
  {
    name: 'memory watch',
    path: '/buffers',
    deadlineMs: 5_000,
    reasons: ['external', 'memory'],
    meaning: "A module that fills ArrayBuffers, which V8's own limit does not count, is ended alone.",
  },
];
const END_MS = 8_000;
/** The least that a module may have. */
const MEMORY_MB = 16;

async function tryEnding(spawn: Spawn, ending: Ending): Promise<Finding> {
  const { name, path, deadlineMs, cpuMs, reasons, meaning } = ending;
  const guest = start(spawn, cpuMs);
  let how: string;
  try {
    await guest.instance.initialize(BOOT_MS);
    guest.call(path, deadlineMs).catch(() => {});
    const exit = await Promise.race([guest.exit, after(END_MS)]);
    if (exit === undefined) how = 'it went on';
    else if (exit.reason === 'cell' || exit.tookCell) how = 'its whole cell ended';
    else if (reasons.some((reason) => reason === exit.reason)) return on(name, meaning);
    else how = `it ended otherwise: ${exit.reason}, ${exit.detail}`;
  } catch (error) {
    how = error instanceof Error ? error.message : String(error);
  } finally {
    guest.instance.terminate('terminated', 'the test is over');
  }
  return failed(name, 'platform', `Does not hold here (${how}): ${meaning}`, OTHER_NODE);
}

function start(spawn: Spawn, cpuMs?: number) {
  const exit = Promise.withResolvers<InstanceExit>();
  const instance = spawn({
    module: 'doctor',
    code: Buffer.from(MODULE),
    manifest: Value.Default(ManifestSchema, { module_name: 'doctor', module_version: '1.0.0' }) as Manifest,
    memoryMb: MEMORY_MB,
    cpuMs,
    onSoftLimit: () => {},
    onExit: exit.resolve,
  });
  const call = async (path: string, deadlineMs: number): Promise<string> => {
    const { body } = await invokeGuest(
      instance,
      {
        handler: `GET ${path}`,
        method: 'GET',
        url: `http://doctor.invalid${path}`,
        headers: [],
        params: {},
        query: {},
        user: null,
        requestId: 'doctor',
        deadline: Date.now() + deadlineMs,
      },
      { body: { kind: 'none' }, signal: undefined },
      () => {},
    );
    return body.kind === 'text' ? body.text : '';
  };
  return { instance, exit: exit.promise, call };
}

function after(ms: number): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(undefined), ms).unref();
  });
}

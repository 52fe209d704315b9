/** Below /api/v1/modules: installing, switching, rolling back and removing modules. */
import { type Context, Hono } from 'hono';
import { type OperatorEnv, operatorsOnly } from '../gateway/operator.ts';
import type { Installer } from '../modules/installer.ts';
import type { ModuleDesk } from '../modules/module-desk.ts';
import type { Removed, Remover } from '../modules/remover.ts';
import { SWITCHES, type SwitchDesk } from '../modules/switch-desk.ts';
import { PACKAGE_BOUNDS } from '../packages/package-bounds.ts';
import type { Authenticate } from '../policy/authenticate.ts';
import type { Audit } from './audit.ts';
import { createAudited } from './audited.ts';
import { readPurge, readRollback } from './life-input.ts';
import { readModuleName } from './module-input.ts';
import { summarise } from './module-summary.ts';
import { limitOperators } from './operator-rate.ts';
import { receiveJson } from './receive-json.ts';
import { receivePackage } from './receive-package.ts';
import { refuseMethod } from './refuse-method.ts';
import { refuseBody, refuseQuery } from './task-input.ts';

export interface LifeDesks {
  readonly installer: Pick<Installer, 'install' | 'rollBack' | 'versions' | 'candidate'>;
  readonly remover: Pick<Remover, 'remove'>;
  readonly switches: Pick<SwitchDesk, 'do'>;
}

export interface ModuleLifeRouteParts {
  readonly authenticate: Authenticate;
  readonly modules: ModuleDesk;
  /** Made after the gateway. */
  readonly life: () => LifeDesks;
  readonly audit: Audit;
}

/** Per minute and operator. */
const READS = 600;
const ACTIONS = 120;
const INSTALLS = 30;
const MAX_WORDS_BYTES = 1024;

export function moduleLifeRoutes({ authenticate, modules, life, audit }: ModuleLifeRouteParts): Hono<OperatorEnv> {
  const routes = new Hono<OperatorEnv>();
  const mayRead = [operatorsOnly(authenticate, 'modules:read'), limitOperators(READS)] as const;
  const manage = operatorsOnly(authenticate, 'modules:manage');
  const mayAct = [manage, limitOperators(ACTIONS)] as const;
  const audited = createAudited(audit);

  routes.post('/', manage, limitOperators(INSTALLS), async (context) => {
    refuseQuery(context.req.url);
    const { bytes, signal } = receivePackage(context, PACKAGE_BOUNDS.zipBytes);
    const { name, version, outcome } = await audited(
      context,
      'module.install',
      {},
      (operator) => life().installer.install(bytes, operator, signal),
      (done) => ({ module: done.name, version: done.version }),
    );
    return context.json(
      { outcome, package: version, ...summarise(modules, name) },
      outcome === 'installed' ? 201 : 200,
    );
  });

  routes.delete('/:name', ...mayAct, async (context) => {
    const module = nameOf(context);
    const isPurge = readPurge(context.req.url);
    refuseBody(await receiveJson(context, MAX_WORDS_BYTES));
    const action = isPurge ? 'module.purge' : 'module.remove';
    return context.json(gone(await audited(context, action, { module }, () => life().remover.remove(module, isPurge))));
  });

  routes.get('/:name/versions', ...mayRead, (context) => {
    refuseQuery(context.req.url);
    const module = modules.get(nameOf(context));
    return context.json({ versions: life().installer.versions(module) });
  });

  routes.post('/:name/rollback', ...mayAct, async (context) => {
    const module = nameOf(context);
    refuseQuery(context.req.url);
    modules.get(module);
    const version = readRollback(await receiveJson(context, MAX_WORDS_BYTES));
    const { outcome } = await audited(context, 'module.rollback', { module, version }, () =>
      life().installer.rollBack(module, version),
    );
    return context.json({ outcome, package: version, ...summarise(modules, module) });
  });

  for (const what of SWITCHES) {
    routes.post(`/:name/${what}`, ...mayAct, async (context) => {
      const module = nameOf(context);
      refuseQuery(context.req.url);
      refuseBody(await receiveJson(context, MAX_WORDS_BYTES));
      await audited(context, `module.${what}`, { module }, () => life().switches.do(module, what));
      return context.json(summarise(modules, module));
    });
    routes.all(`/:name/${what}`, ...mayRead, () => refuseMethod('POST'));
  }

  routes.all('/:name/versions', ...mayRead, () => refuseMethod('GET, HEAD'));
  routes.all('/:name/rollback', ...mayRead, () => refuseMethod('POST'));
  return routes;
}

function gone({ name, state, dataUntil }: Removed) {
  return { name, state, data_kept_until: dataUntil === undefined ? null : new Date(dataUntil).toISOString() };
}

function nameOf(context: Context<OperatorEnv>): string {
  return readModuleName(context.req.param('name'));
}

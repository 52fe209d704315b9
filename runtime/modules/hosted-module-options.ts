/** What a hosted module is made of, and whom it tells. */
import type { Declaration } from '@plexichat/sdk/protocol/declaration';
import type { Manifest } from '@plexichat/sdk/protocol/manifest';
import type { Instance, InstanceExit } from '../cells/instance.ts';
import type { LimitBreach } from '../cells/soft-limits.ts';
import type { InstancesOptions } from './instances.ts';
import type { ModuleState, ServedModule } from './served-module.ts';
import type { Slots } from './slots.ts';

export interface HostedModuleOptions extends Pick<InstancesOptions, 'readCode' | 'spawn'> {
  readonly manifest: Manifest;
  readonly declaration: Declaration;
  /** The manifest's runtime section, capped by the operator. */
  readonly limits: ModuleLimits;
  /** Whether the module had that cell to itself: only then is the cell's death its own doing. */
  readonly isAlone: (instance: Instance) => boolean;
  /** For starts that nobody waits for: when a cell has died, its modules do not come back all at once. */
  readonly comebacks: Slots;
  readonly onChange: (module: ServedModule, from: ModuleState) => void;
  /** It crashed, or was parked: whether others see another state or not. */
  readonly onCrash?: (module: ServedModule, reasons: readonly string[]) => void;
  /** A thread was ended for a task that did not stop in time, or could not be replaced: no crash, but worth a line. */
  readonly onRecycle: (why: string) => void;
  /** A thread is replaced. */
  readonly onReplace: (breach: LimitBreach) => void;
  /** A thread ended, and nobody had asked for it. */
  readonly onLoss: (exit: InstanceExit) => void;
  readonly onStack: (stack: string) => void;
}

export interface ModuleLimits {
  readonly instances: number;
  readonly concurrency: number;
  readonly idleMs: number;
  readonly bootMs: number;
}

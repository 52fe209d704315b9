/** What the desk of modules' lives asks of those who load and run them. */
import type { FoundModule } from './discover.ts';

export interface UpgradeOrder {
  /** Called once the new version has booted: it is in force from then on. */
  readonly enforce: () => Promise<void>;
  /** For operators: why it is this version that runs. */
  readonly notice?: readonly string[];
}

export interface LifeLoading {
  /** A module of the operator's folder has the name of this installed one, and is served in its place. */
  isShadowed(name: string): boolean;
  /** Where the module is from now on. */
  place(name: string, folder: string): void;
  /**
   * Never rejects for what is wrong with the module.
   * @param isForced also when it is served already: another one takes its place
   */
  loadAgain(name: string, isForced: boolean): Promise<void>;
  /** Side by side. @returns what keeps the new version from taking over; undefined: it has */
  upgrade(found: FoundModule, order: UpgradeOrder): Promise<readonly string[] | undefined>;
  /** It stays known, and nothing of it runs any more, nor of the versions before it. */
  rest(name: string, reason: string): Promise<void>;
  /** Nobody finds it any more, and the versions before it have ended too. */
  takeOut(name: string): Promise<void>;
}

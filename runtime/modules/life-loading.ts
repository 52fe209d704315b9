/** What the desk of modules' lives asks of those who load and run them. */
import type { FoundModule } from './discover.ts';

export interface UpgradeOrder {
  /** Called once the new version has booted: it is in force from then on. */
  readonly enforce: () => Promise<void>;
  /** For operators: why it is this version that runs. */
  readonly notice?: readonly string[];
}

export interface LifeLoading {
  /** Where the module is from now on. */
  place(name: string, folder: string): void;
  /**
   * Never rejects for what is wrong with the module.
   * @param isForced also when it is served already: another one takes its place
   */
  loadAgain(name: string, isForced: boolean): Promise<void>;
  /** Side by side. @returns what keeps the new version from taking over; undefined: it has */
  upgrade(found: FoundModule, order: UpgradeOrder): Promise<readonly string[] | undefined>;
  /** It stays known, and nothing of it runs any more. */
  rest(name: string, reason: string): Promise<void>;
  /** Nobody finds it any more. */
  takeOut(name: string): Promise<void>;
}

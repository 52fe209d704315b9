/** What `plexi doctor` says about one layer of protection. */

export interface Finding {
  readonly name: string;
  /** `off` is a choice, or a layer that others back up; `failed` is one that was asked for, or that all rests on. */
  readonly state: 'on' | 'off' | 'failed';
  /** One sentence: what the layer stops, or what its absence leaves open. */
  readonly meaning: string;
  /** How to turn it on. */
  readonly remedy?: string;
  /** Of a failure: who can mend it, the operator by a setting, or only another machine or platform. */
  readonly blame?: 'setting' | 'platform';
}

export interface FindingGroup {
  readonly title: string;
  readonly findings: readonly Finding[];
}

export function on(name: string, meaning: string): Finding {
  return { name, state: 'on', meaning };
}

/** @param remedy when the meaning does not say it */
export function off(name: string, meaning: string, remedy?: string): Finding {
  return { name, state: 'off', meaning, ...(remedy === undefined ? {} : { remedy }) };
}

export function failed(name: string, blame: 'setting' | 'platform', meaning: string, remedy: string): Finding {
  return { name, state: 'failed', meaning, remedy, blame };
}

/** What holds a cell besides Node's permissions, as the jail of this machine found it by trying. */
import type { Jail, JailLayer } from '../../cells/jail/probe-jail.ts';
import { type Finding, failed, off, on } from './finding.ts';

/** @param refusal why bubblewrap, which the settings insist on, does not work here */
export function judgeJail({ layers }: Pick<Jail, 'layers'>, refusal: string | undefined): readonly Finding[] {
  return layers.flatMap((layer): Finding[] => {
    const name = NAMES[layer.name];
    if (name === undefined) return [];
    if (layer.name === 'bwrap' && refusal !== undefined) {
      return [failed(name, 'setting', refusal, 'Until then no host starts with these settings.')];
    }
    return [layer.on ? on(name, layer.meaning) : off(name, layer.meaning)];
  });
}

/** Two words of the jail are not here: what Node's permissions and the empty environment hold was tried in a cell. */
const NAMES: Readonly<Record<JailLayer['name'], string | undefined>> = {
  permissions: undefined,
  environment: undefined,
  'no-new-privileges': 'no new privileges',
  user: 'own user',
  memory: 'memory ceiling',
  network: 'own network',
  bwrap: 'bubblewrap',
};

/** What the hot module answers, for the servers that have no guest: the handler, and its answer in the host's words. */
import type { ModuleAnswer } from '../../../runtime/modules/served-module.ts';

const config = { moduleVersion: '1.0.0' };
const actions = 0;

export function getStatus() {
  return { status: 'active', version: config.moduleVersion, actions };
}

export function answerStatus(): ModuleAnswer {
  return {
    status: 200,
    headers: [['content-type', 'application/json']],
    body: { kind: 'text', text: JSON.stringify(getStatus()) },
  };
}

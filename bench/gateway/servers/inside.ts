/** (a) The handler runs in the gateway's own process and thread: no wall at all, and the measure of the others. */
import { childOptions, serveParent } from '../../support/child-side.ts';
import { type ModuleFacts, serveModule } from './serve-module.ts';
import { answerStatus } from './status-answer.ts';

serveParent({ ready: await serveModule(childOptions<ModuleFacts>(), async () => answerStatus()) });

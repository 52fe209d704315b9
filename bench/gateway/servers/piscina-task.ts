/** The thread of (b). Piscina calls the default export. */
import { answerStatus } from './status-answer.ts';

export default answerStatus;

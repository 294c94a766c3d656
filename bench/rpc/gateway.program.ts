/** Our side of the `rpc` bench: the gateway as it is, with one call that answers with what it was asked. */
import { bindHandlers } from '#engine/gateway/dispatch.ts';
import { startGateway, viewerOf } from '#test/support/gateway.ts';
import { answerWith } from '../program.ts';
import { echo } from './echo-call.ts';

const running = await startGateway({
  calls: bindHandlers({ echo }, { echo: { atOnce: (input) => input, later: async (input) => input } }),
  // The limiter runs for every call as it always does, but never cuts.
  limits: { callsPerSecond: 1e9 },
});
const { token } = running.sessions.open(viewerOf('user'));

const answers = { address: () => ({ port: running.port, token }) };
export type GatewayProgram = typeof answers;
answerWith(answers);

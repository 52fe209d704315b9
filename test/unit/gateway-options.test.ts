import { expect, it } from 'vitest';
import { socketLimits } from '../../runtime/compose/gateway-options.ts';
import { loadHostSettings } from '../../runtime/config/load-host-settings.ts';

const limitsOf = (environment: Record<string, string>) =>
  socketLimits(loadHostSettings({ flags: {}, environment }).settings);

it('a body may arrive for as long as the slowest endpoint may run', () => {
  expect(limitsOf({}).requestTimeoutMs).toBeGreaterThan(300_000);
  expect(limitsOf({ PLEXI_LIMITS__MAX_TIMEOUT_SECONDS: '3600' }).requestTimeoutMs).toBeGreaterThan(3_600_000);
});

it('connections are counted per address, except behind a proxy', () => {
  expect(limitsOf({}).maxConnectionsPerAddress).toBe(1000);
  expect(limitsOf({ PLEXI_LIMITS__CONNECTIONS_PER_ADDRESS: '7' }).maxConnectionsPerAddress).toBe(7);
  expect(limitsOf({ PLEXI_TRUST_PROXY: 'true' }).maxConnectionsPerAddress).toBe(Number.POSITIVE_INFINITY);
});

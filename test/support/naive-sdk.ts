/** The sdk, a module and an EndpointContext of the realm that loads this file. */
import { createSdk } from '@plexichat/sdk/guest';
import { createModuleHarness } from '@plexichat/sdk/testing';
import type { BaseModule, EndpointContext } from '../../sdk/index.ts';

export interface SdkObjects {
  readonly sdk: object;
  readonly module: object;
  readonly context: object;
}

export async function createSdkObjects(): Promise<SdkObjects> {
  const sdk = createSdk() as { readonly BaseModule: typeof BaseModule };
  let context: object = {};
  class Naive extends sdk.BaseModule {
    override setupRoutes(): void {
      this.router.get('/attempt', (given: EndpointContext) => {
        context = given;
      });
    }
  }
  const { module, request } = await createModuleHarness(Naive);
  await request('GET', '/attempt');
  return { sdk, module, context };
}

/** Packages of modules as an author makes them, and how an operator sends them to a host. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writePackage } from '../../runtime/packages/write-package.ts';

export interface PackedModule {
  readonly name?: string;
  readonly version: string;
  /** More of config.yaml. */
  readonly config?: string;
  /** Of the class: what it does besides answering `/version`. */
  readonly body?: string;
  /** Of setupRoutes. */
  readonly routes?: string;
  readonly key?: KeyObject;
}

/** Open to everybody, so that a test's clients need no tokens. */
const OPEN = 'security: { require_authentication: false, rate_limiting: false }';

export function packModule({
  name = 'demo',
  version,
  config = '',
  body = '',
  routes = '',
  key,
}: PackedModule): Uint8Array {
  const files = {
    'config.yaml': `module_name: ${name}\nmodule_version: ${version}\n${OPEN}\n${config}\n`,
    'module.js': `
      import { BaseModule, moduleTask } from '@plexichat/sdk';
      export default class Demo extends BaseModule {
        ${body}
        setupRoutes() {
          this.router.get('/version', {}, async () => ({ version: '${version}' }));
          ${routes}
        }
      }`,
  };
  return writePackage(new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)])), key);
}

export function newPublisher(): KeyObject {
  return generateKeyPairSync('ed25519').privateKey;
}

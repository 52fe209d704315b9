/** `npm run schema`: writes the JSON Schema files that editors use. A unit test fails when one is not current. */
import { writeFileSync } from 'node:fs';
import { writeHostSettingsSchema } from '../config/settings-schema.ts';
import { writeManifestSchema } from '../modules/manifest-schema.ts';

writeFileSync(new URL('../../sdk/config.schema.json', import.meta.url), writeManifestSchema());
writeFileSync(new URL('../plexi.schema.json', import.meta.url), writeHostSettingsSchema());

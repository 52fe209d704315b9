/** The JSON Schema file that editors check config.yaml with. */
import { ManifestSchema } from '@plexichat/sdk/protocol/manifest';
import { writeSchema } from '../config/editor-schema.ts';

/** The text of sdk/config.schema.json. */
export function writeManifestSchema(): string {
  return writeSchema(ManifestSchema);
}

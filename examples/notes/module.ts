import { BaseModule, type EndpointContext, HttpError, moduleEndpoint, Type } from '@plexichat/sdk';
import { MergeSchema, type Note, NoteIdSchema, NoteInputSchema, NoteSchema, SearchSchema } from './note.ts';

const COLUMNS = 'id, title, text, tags, pinned, changed_at';

export default class NotesModule extends BaseModule {
  @moduleEndpoint('GET /', {
    permissions: ['read'],
    query: SearchSchema,
    response: Type.Array(NoteSchema),
    summary: 'Your notes: pinned ones first, then the newest.',
  })
  async listNotes({ query, user }: EndpointContext<{ query: typeof SearchSchema }>) {
    const { tag = null, limit = 50, offset = 0 } = query;
    return this.db.query<Note>(
      `SELECT ${COLUMNS} FROM notes
       WHERE owner = ?1 AND (?2 IS NULL OR EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?2))
       ORDER BY pinned DESC, changed_at DESC, id DESC LIMIT ?3 OFFSET ?4`,
      [ownerOf(user), tag, limit, offset],
    );
  }

  @moduleEndpoint('POST /', { permissions: ['write'], body: NoteInputSchema, summary: 'Writes a note.' })
  async createNote({ body, user, json }: EndpointContext<{ body: typeof NoteInputSchema }>) {
    const { title, text = '', tags = [], pinned = false } = body;
    const [note] = await this.db.query<Note>(
      `INSERT INTO notes (owner, title, text, tags, pinned) VALUES (?, ?, ?, ?, ?) RETURNING ${COLUMNS}`,
      [ownerOf(user), title, text, tags, pinned],
    );
    return json(note, 201, { location: `${this.config.api.prefix}/${note?.id}` });
  }

  @moduleEndpoint('GET /:id', {
    permissions: ['read'],
    params: NoteIdSchema,
    response: NoteSchema,
    summary: 'One of your notes.',
  })
  async readNote({ params, user }: EndpointContext<{ params: typeof NoteIdSchema }>) {
    return theOnly(
      await this.db.query<Note>(`SELECT ${COLUMNS} FROM notes WHERE id = ? AND owner = ?`, [params.id, ownerOf(user)]),
    );
  }

  @moduleEndpoint('PUT /:id', {
    permissions: ['write'],
    params: NoteIdSchema,
    body: NoteInputSchema,
    response: NoteSchema,
    summary: 'Writes a note anew.',
  })
  async changeNote({
    params,
    body,
    user,
  }: EndpointContext<{ params: typeof NoteIdSchema; body: typeof NoteInputSchema }>) {
    const { title, text = '', tags = [], pinned = false } = body;
    return theOnly(
      await this.db.query<Note>(
        `UPDATE notes SET title = ?, text = ?, tags = ?, pinned = ?, changed_at = ?
         WHERE id = ? AND owner = ? RETURNING ${COLUMNS}`,
        [title, text, tags, pinned, new Date(), params.id, ownerOf(user)],
      ),
    );
  }

  @moduleEndpoint('DELETE /:id', { permissions: ['write'], params: NoteIdSchema, summary: 'Deletes a note.' })
  async deleteNote({ params, user }: EndpointContext<{ params: typeof NoteIdSchema }>) {
    const { changes } = await this.db.execute('DELETE FROM notes WHERE id = ? AND owner = ?', [
      params.id,
      ownerOf(user),
    ]);
    if (changes === 0) throw notFound();
  }

  /** Both or none: a note is never lost halfway. */
  @moduleEndpoint('POST /:id/merge', {
    permissions: ['write'],
    params: NoteIdSchema,
    body: MergeSchema,
    response: NoteSchema,
    summary: 'Appends the text of another note, and deletes that one.',
  })
  async mergeNotes({ params, body, user }: EndpointContext<{ params: typeof NoteIdSchema; body: typeof MergeSchema }>) {
    const owner = ownerOf(user);
    if (params.id === body.from) throw new HttpError(422, 'A note cannot be merged with itself');
    return this.db.transaction(async (tx) => {
      const from = theOnly(
        await tx.query<Note>(`DELETE FROM notes WHERE id = ? AND owner = ? RETURNING ${COLUMNS}`, [body.from, owner]),
      );
      return theOnly(
        await tx.query<Note>(
          `UPDATE notes SET text = text || char(10) || ?, changed_at = ? WHERE id = ? AND owner = ? RETURNING ${COLUMNS}`,
          [from.text, new Date(), params.id, owner],
        ),
      );
    });
  }
}

/** The endpoints ask for permissions, so there is a user. */
function ownerOf(user: { readonly id: string } | null): string {
  if (user === null) throw new HttpError(401, 'Notes belong to somebody');
  return user.id;
}

/** Somebody else's note is none, and not one that exists. */
function theOnly([note]: readonly Note[]): Note {
  if (note === undefined) throw notFound();
  return note;
}

function notFound(): HttpError {
  return new HttpError(404, 'No such note');
}

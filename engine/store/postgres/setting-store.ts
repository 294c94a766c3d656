/**
 * What people set in the browser: small JSON values by name. Secrets among them are sealed with AES-256-GCM under a key of the
 * data folder, so that a copy of the database alone opens nothing; the name is sealed along, so that values cannot be swapped.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Sql } from './connect.ts';

export interface SettingStore {
  /** What was last written under this name; `null` where nothing was. */
  read(name: string): Promise<unknown>;
  /** Keeps a value that JSON can carry; `null` forgets it. */
  write(name: string, value: unknown): Promise<void>;
  /** The same for secrets. `null` also where the value was sealed under another key: the data folder is not the one it was written with. */
  readSealed(name: string): Promise<string | null>;
  writeSealed(name: string, secret: string | null): Promise<void>;
}

const CIPHER = 'aes-256-gcm';
/** NIST SP 800-38D: 96 bits, never used twice under one key; random ones are safe for 2^32 writes. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** `key`: 32 bytes. */
export function createSettingStore(sql: Sql, key: Uint8Array): SettingStore {
  const nameOf = (name: string): string => `setting.${name}`;

  async function read(name: string): Promise<unknown> {
    const [row] = await sql<{ value: string }[]>`select value from server_fact where name = ${nameOf(name)}`;
    return row ? (JSON.parse(row.value) as unknown) : null;
  }

  async function write(name: string, value: unknown): Promise<void> {
    if (value === null) {
      await sql`delete from server_fact where name = ${nameOf(name)}`;
      return;
    }
    await sql`
      insert into server_fact (name, value) values (${nameOf(name)}, ${JSON.stringify(value)})
      on conflict (name) do update set value = excluded.value`;
  }

  return {
    read,
    write,
    async readSealed(name) {
      const sealed = await read(name);
      return typeof sealed === 'string' ? unseal(key, name, sealed) : null;
    },
    writeSealed: (name, secret) => write(name, secret === null ? null : seal(key, name, secret)),
  };
}

function seal(key: Uint8Array, name: string, secret: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(name));
  const bytes = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), bytes]).toString('base64');
}

function unseal(key: Uint8Array, name: string, sealed: string): string | null {
  const bytes = Buffer.from(sealed, 'base64');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return null;
  const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(name))
    .setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  try {
    return decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    return null; // another key, or not what was written
  }
}

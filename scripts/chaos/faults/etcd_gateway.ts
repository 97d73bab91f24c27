// etcd over its JSON gateway: what is needed to fill it, meddle with it and tidy it up quickly. Owns no key.
import { fetchText } from "../looking/fetch_text.ts";

/** A key as etcd has it. */
export interface Entry {
  readonly key: string;
  readonly value: string;
  readonly revision: number;
}

export interface EtcdGateway {
  get(prefix: string): Promise<readonly Entry[]>;
  put(key: string, value: string): Promise<void>;
  /** Many at once, a hundred in a transaction. */
  putAll(entries: ReadonlyMap<string, string>): Promise<void>;
  delete(prefix: string): Promise<void>;
  /** Forgets old revisions, gives their space back, and ends the alarm about space. */
  tidy(): Promise<void>;
  compact(): Promise<void>;
}

/** Each call ends after 5 s at most, by throwing. */
export function etcdGateway(base: string): EtcdGateway {
  const call = async (path: string, body: unknown, within = 5_000) =>
    JSON.parse(
      await fetchText(`${base}/v3/${path}`, { method: "POST", body: JSON.stringify(body), within }),
    );
  const compact = async () => {
    const { header } = await call("kv/range", { key: base64("/"), count_only: true });
    await call("kv/compaction", { revision: header.revision, physical: true });
  };
  return {
    async get(prefix) {
      const { kvs = [] } = await call("kv/range", range(prefix), 2_000);
      return kvs.map((kv: { key: string; value?: string; mod_revision: string }) => ({
        key: text(kv.key),
        value: text(kv.value ?? ""),
        revision: Number(kv.mod_revision),
      }));
    },
    async put(key, value) {
      await call("kv/put", { key: base64(key), value: base64(value) });
    },
    async putAll(entries) {
      const all = [...entries];
      for (let i = 0; i < all.length; i += 100) {
        const success = all.slice(i, i + 100).map(([key, value]) => ({
          request_put: { key: base64(key), value: base64(value) },
        }));
        await call("kv/txn", { success });
      }
    },
    async delete(prefix) {
      await call("kv/deleterange", range(prefix));
    },
    async tidy() {
      await compact();
      await call("maintenance/defragment", {}, 15_000);
      const { alarms = [] } = await call("maintenance/alarm", { action: "GET" });
      for (const { memberID, alarm } of alarms) {
        await call("maintenance/alarm", { action: "DEACTIVATE", memberID, alarm });
      }
    },
    compact,
  };
}

function range(prefix: string) {
  const end = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
  return { key: base64(prefix), range_end: base64(end) };
}

function base64(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}

function text(base64: string): string {
  return new TextDecoder().decode(Uint8Array.fromBase64(base64));
}

// The Registry on etcd, by etcd3's plain gRPC clients. Owns connections and deadlines; retries nothing.
import type { CallOptions } from "@grpc/grpc-js";
import { type Etcd3, EtcdLeaseInvalidError, type ILeaseKeepAliveResponse } from "etcd3";
import { HOSTS } from "../keys.ts";
import { after, allIn, changedIn, type RangeStore } from "./ranges.ts";
import { EtcdConnection } from "./etcd_connection.ts";
import type { EtcdPlace } from "./etcd_place.ts";
import {
  type Changes,
  type Entry,
  inTransactions,
  type Known,
  LeaseLostError,
  type Registry,
} from "./registry.ts";

/** How to reach etcd. */
export interface EtcdOptions extends EtcdPlace {
  /** How long one call may take, in ms. A stopped etcd lets a call hang for 20 s otherwise. */
  readonly deadline?: number;
}

/**
 * Of etcd3 only the generated clients are used. Its own lease keeps quiet about a silent etcd for
 * twice the TTL, its circuit breaker refuses calls for 5 s after etcd is back, and its watchers die
 * on compaction: the caller retries, so each call here is one attempt with a deadline.
 */
export class EtcdRegistry implements Registry {
  private readonly connection: EtcdConnection;
  private readonly deadline: number;

  /** Throws when a certificate cannot be read. */
  constructor({ deadline = 2_000, ...place }: EtcdOptions) {
    this.deadline = deadline;
    this.connection = new EtcdConnection(place);
  }

  async list(prefix: string, known?: Known): Promise<ReadonlyMap<string, Entry>> {
    const what = `list ${prefix}`;
    const store: RangeStore = {
      range: (request) => this.call(what, ({ kv }) => kv.range(request as never, this.options())),
      counts: (requests) =>
        this.call(what, async ({ kv }) => {
          const success = requests.map((request) => ({ request_range: request as never }));
          const { responses } = await kv.txn({ success }, this.options());
          return responses.map(({ response_range }) => Number(response_range.count));
        }),
    };
    return (known && await changedIn(store, prefix, known)) ?? await allIn(store, prefix);
  }

  async revision(): Promise<number> {
    // Any read tells it: this one finds nothing, and is one that every role may make.
    const range = { key: bytes(HOSTS) };
    const { header } = await this.call(
      "read the revision",
      ({ kv }) => kv.range(range, this.options()),
    );
    return Number(header.revision);
  }

  async grant(ttl: number): Promise<string> {
    const { ID } = await this.call(
      "grant a lease",
      ({ leaseClient }) => leaseClient.leaseGrant({ TTL: ttl }, this.options()),
    );
    return ID;
  }

  keepAlive(lease: string): Promise<number> {
    return this.call("keep the lease alive", async ({ leaseClient }) => {
      const stream = await leaseClient.leaseKeepAlive(this.options());
      try {
        const reply = await new Promise<ILeaseKeepAliveResponse>((resolve, reject) => {
          stream.on("data", resolve);
          stream.on("error", reject);
          stream.on("end", () => reject(new Error("etcd ended the stream")));
          stream.write({ ID: lease });
        });
        return Math.max(0, Number(reply.TTL));
      } finally {
        stream.on("error", () => {}); // an error after the reply has nobody to tell
        stream.end();
      }
    });
  }

  async revoke(lease: string): Promise<void> {
    try {
      await this.connection.call(({ leaseClient }) =>
        leaseClient.leaseRevoke({ ID: lease }, this.options())
      );
    } catch (cause) {
      if (cause instanceof EtcdLeaseInvalidError) return;
      throw failure("revoke the lease", cause);
    }
  }

  async apply(changes: Changes, lease: string): Promise<number> {
    let revision = 0;
    for (const { deletes, puts } of inTransactions(changes)) {
      const success = [
        ...deletes.map((key) => ({ request_delete_range: { key: bytes(key) } })),
        ...[...puts].map(([key, value]) => ({
          request_put: { key: bytes(key), value: bytes(value), lease },
        })),
      ];
      try {
        const { header } = await this.connection.call(({ kv }) =>
          kv.txn({ success }, this.options())
        );
        revision = Number(header.revision);
      } catch (cause) {
        if (!(cause instanceof EtcdLeaseInvalidError)) throw failure("write", cause);
        throw new LeaseLostError(`Cannot write: lease ${lease} is gone`, { cause });
      }
    }
    return revision;
  }

  async watch(prefix: string, told: () => void, signal: AbortSignal): Promise<void> {
    const create_request = { key: bytes(prefix), range_end: after(prefix) as never };
    await this.call(`watch ${prefix}`, async ({ watchClient }) => {
      const stream = await watchClient.watch();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const stop = () => resolve();
      stream.on("data", ({ created, canceled, cancel_reason, events }) => {
        if (canceled) {
          reject(new Error(`etcd ended the watch: ${cancel_reason || "no reason given"}`));
        } else if (created || events.length > 0) told();
      });
      stream.on("error", reject); // also after the end: an error that nobody hears ends the process
      stream.on("end", () => reject(new Error("etcd ended the stream")));
      signal.addEventListener("abort", stop, { once: true });
      try {
        if (signal.aborted) stop();
        else stream.write({ create_request });
        await promise;
      } finally {
        signal.removeEventListener("abort", stop);
        stream.end();
      }
    });
  }

  close(): void {
    this.connection.close();
  }

  private options(): CallOptions {
    return { deadline: Date.now() + this.deadline };
  }

  private async call<T>(what: string, work: (client: Etcd3) => Promise<T>): Promise<T> {
    try {
      return await this.connection.call(work);
    } catch (cause) {
      throw failure(what, cause);
    }
  }
}

function failure(what: string, cause: unknown): Error {
  return new Error(`Cannot ${what}: ${(cause as Error).message}`, { cause });
}

// etcd3's types say Buffer by a name of their own; what its protocol files take is any bytes.
function bytes(text: string): never {
  return Buffer.from(text) as never;
}

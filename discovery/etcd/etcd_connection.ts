// How everybody here connects to etcd: to one endpoint at a time, with certificates read anew when they change. Makes no
// call by itself, and tries none again.
import { noop } from "cockatiel";
import { Etcd3, EtcdLeaseInvalidError } from "etcd3";
import type { EtcdPlace } from "./etcd_place.ts";
import { readTls, tlsStamp } from "./tls_files.ts";

/** How often certificates may be looked at, in ms. */
const LOOK = 1_000;
/** How long calls on replaced connections may still take, in ms: longer than any deadline. */
const LINGER = 10_000;

/**
 * Calls are one attempt each (docs/decisions/etcd3_plain_clients.md): whoever calls gives a deadline, and
 * tries again; by then the next endpoint has its turn. One member is asked as long as it answers: so one that is
 * away costs a single failed call, and not each third.
 */
export class EtcdConnection {
  private clients: readonly Etcd3[];
  private turn = 0;
  private stamp: string | undefined;
  private looked = 0;

  /** Throws when a certificate cannot be read. `now` tells the time in ms. */
  constructor(private readonly place: EtcdPlace, private readonly now: () => number = Date.now) {
    this.stamp = place.tls && tlsStamp(place.tls);
    this.clients = clientsOf(place);
  }

  /** Does `work` with the client whose turn it is. After a failure it is the next endpoint's. */
  async call<T>(work: (client: Etcd3) => Promise<T>): Promise<T> {
    this.renew();
    const { clients, turn } = this;
    try {
      return await work(clients[turn]!);
    } catch (error) {
      // A lease that is gone is an answer. And of several calls that fail at once only one moves on.
      if (!(error instanceof EtcdLeaseInvalidError) && this.turn === turn) {
        this.turn = (turn + 1) % clients.length;
      }
      throw error;
    }
  }

  close(): void {
    for (const client of this.clients) client.close();
  }

  /** New connections where a certificate was renewed. Half a renewal leaves all as it is, until the next look. */
  private renew(): void {
    const { tls } = this.place;
    if (tls === undefined || this.now() - this.looked < LOOK) return;
    this.looked = this.now();
    try {
      const stamp = tlsStamp(tls);
      if (stamp === this.stamp) return;
      const clients = clientsOf(this.place);
      const old = this.clients;
      this.clients = clients;
      this.stamp = stamp;
      Deno.unrefTimer(setTimeout(() => old.forEach((client) => client.close()), LINGER));
    } catch {
      // What we have is as good as it was.
    }
  }
}

function clientsOf({ endpoints, tls }: EtcdPlace): readonly Etcd3[] {
  const credentials = tls && readTls(tls);
  return endpoints.map((endpoint) =>
    new Etcd3({
      hosts: [endpoint],
      ...(credentials && { credentials }),
      faultHandling: { host: () => noop, global: noop },
      grpcOptions: {
        // Find a connection that has gone dead within 8 s, and come back within 1 s.
        "grpc.keepalive_time_ms": 6_000,
        "grpc.keepalive_timeout_ms": 2_000,
        "grpc.initial_reconnect_backoff_ms": 100,
        "grpc.max_reconnect_backoff_ms": 1_000,
        "grpc.max_receive_message_length": 256 * 1024 * 1024,
      },
    })
  );
}

// How everybody here connects to etcd: etcd3's plain gRPC clients, without its own faults and retries. Makes no call.
import { noop } from "cockatiel";
import { Etcd3 } from "etcd3";

/**
 * A client whose calls are one attempt each (docs/decisions/etcd3_plain_clients.md): whoever calls gives a
 * deadline, and tries again. `endpoints` as in `http://etcd:2379`.
 */
export function etcdClient(endpoints: readonly string[]): Etcd3 {
  return new Etcd3({
    hosts: [...endpoints],
    faultHandling: { host: () => noop, global: noop },
    grpcOptions: {
      // Find a connection that has gone dead within 8 s, and come back within 1 s.
      "grpc.keepalive_time_ms": 6_000,
      "grpc.keepalive_timeout_ms": 2_000,
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": 1_000,
      "grpc.max_receive_message_length": 256 * 1024 * 1024,
    },
  });
}

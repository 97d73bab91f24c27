import { deepEqual, equal } from "node:assert/strict";
import { growth, parseMetrics, requests } from "./etcd_metrics.ts";

const BEFORE = `# HELP grpc_server_started_total Total
grpc_server_started_total{grpc_method="Range",grpc_service="etcdserverpb.KV",grpc_type="unary"} 7
grpc_server_started_total{grpc_method="Watch",grpc_service="etcdserverpb.Watch",grpc_type="bidi_stream"} 3
etcd_mvcc_db_total_size_in_bytes 2.0480e+04
`;
const AFTER = `grpc_server_started_total{grpc_method="Range",grpc_service="etcdserverpb.KV"} 17
grpc_server_started_total{grpc_method="Txn",grpc_service="etcdserverpb.KV",grpc_type="unary"} 20
grpc_server_started_total{grpc_method="Txn",grpc_service="etcdserverpb.KV",grpc_type="other"} 2
grpc_server_started_total{grpc_method="Watch",grpc_service="etcdserverpb.Watch",grpc_type="bidi_stream"} 3
etcd_mvcc_db_total_size_in_bytes 40960
`;

Deno.test("parseMetrics() reads exponents, and adds up what differs in other labels only", () => {
  equal(parseMetrics(BEFORE).get("etcd_mvcc_db_total_size_in_bytes"), 20480);
  equal(parseMetrics(AFTER).get('grpc_server_started_total{grpc_method="Txn"}'), 22);
});

Deno.test("growth() takes what was not there for 0", () => {
  const [before, after] = [parseMetrics(BEFORE), parseMetrics(AFTER)];
  equal(growth(before, after, "etcd_mvcc_db_total_size_in_bytes"), 20480);
  equal(growth(before, after, 'grpc_server_started_total{grpc_method="Txn"}'), 22);
});

Deno.test("requests() names what was asked between two looks, the busiest first", () => {
  deepEqual([...requests(parseMetrics(BEFORE), parseMetrics(AFTER))], [["Txn", 22], ["Range", 10]]);
});

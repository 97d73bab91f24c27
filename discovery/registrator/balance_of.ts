// SERVICE_BALANCE: how the edge chooses among a service's instances. Pure; owns the label.
import { BALANCE, ROUND_ROBIN } from "../instance.ts";
import type { Metadata } from "./metadata.ts";
import { reject, shown } from "./rejected_error.ts";

/** The method that is asked for, in lower case. Throws a RejectedError. */
export function balanceOf(metadata: Metadata): string {
  const balance = metadata.get("balance")?.trim().toLowerCase() || ROUND_ROBIN;
  if (BALANCE.test(balance)) return balance;
  const methods = "round_robin, least_conn, hash:client, hash:header:<name>";
  reject("balance", `'${shown(balance)}' is none of: ${methods}`);
}

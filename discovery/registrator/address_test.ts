// Which texts are addresses that the edge may be sent to.
import assert from "node:assert/strict";
import { isWildcard, unicast } from "./address.ts";

Deno.test("unicast() takes addresses, with or without a prefix length, and gives their usual form", () => {
  for (
    const [text, address] of [
      ["10.0.0.5", "10.0.0.5"],
      [" 192.168.1.10/24 ", "192.168.1.10"],
      ["2001:DB8:0:0::5", "2001:db8::5"],
      ["fd00::5/64", "fd00::5"],
    ] as const
  ) assert.equal(unicast(text), address);
});

Deno.test("unicast() refuses what is no address, or leads back to whoever asks, or to nobody", () => {
  for (
    const text of [
      ...["", "host", "10.0.0", "10.0.0.256", "010.0.0.1", "10.0.0.5:80", "10.0.0.5/x", "1/2/3"],
      ...["127.0.0.1", "0.0.0.0", "0.1.2.3", "169.254.169.254", "224.0.0.1", "255.255.255.255"],
      ...["::", "::1", "::ffff:127.0.0.1", "fe80::1", "fe80::1%eth0", "ff02::1", "[2001:db8::5]"],
      ...["10.0.0.5; server 1.2.3.4", "10.0.0.5\n1", "10.0.0.5\u0000"],
    ]
  ) assert.equal(unicast(text), undefined, text);
});

Deno.test("isWildcard() is every address of a host, in both families and as Docker leaves it out", () => {
  for (const address of ["", "0.0.0.0", "::"]) assert.ok(isWildcard(address));
  assert.ok(!isWildcard("192.0.2.1"));
});

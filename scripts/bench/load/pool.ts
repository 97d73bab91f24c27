// Connections that are kept between requests: as many as wanted, used in turn. Opens none by itself.

import type { Connection } from "./connection.ts";

/**
 * The longest unused connection is taken first. So all of them stay in use, each with pauses in
 * between: that is when servers close connections, and when a request can meet a closing one.
 */
export class Pool {
  /** With the moment since which each is. */
  private readonly idle = new Map<Connection, number>();
  private kept = 0;

  /**
   * `size`: how many connections to keep at least; more come when all of them are busy. What has been idle for longer
   * than `maxIdleMs` is closed instead of used.
   */
  constructor(private readonly size: number, private readonly maxIdleMs = Infinity) {}

  /** A connection for the next request; undefined: open one, and tell the pool with `add`. `now` is in ms. */
  take(now: number): Connection | undefined {
    for (const [connection, since] of this.idle) {
      if (now - since <= this.maxIdleMs) break; // the others are idle for less
      connection.close();
    }
    if (this.kept < this.size) return undefined;
    for (const connection of this.idle.keys()) {
      this.idle.delete(connection);
      if (connection.idle) return connection;
    }
    return undefined;
  }

  /** A new connection, which is in use. */
  add(connection: Connection): void {
    this.kept++;
    connection.onUnusable = () => {
      this.kept--;
      this.idle.delete(connection);
    };
  }

  /** A connection whose request has ended. */
  give(connection: Connection, now: number): void {
    if (connection.idle) this.idle.set(connection, now);
  }

  /** Closes those that are not in use. */
  close(): void {
    for (const connection of this.idle.keys()) connection.close();
  }
}

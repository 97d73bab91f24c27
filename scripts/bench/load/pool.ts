// Connections that are kept between requests: as many as wanted, used in turn. Opens none by itself.

import type { Connection } from "./connection.ts";

/**
 * The longest unused connection is taken first. So all of them stay in use, each with pauses in
 * between: that is when servers close connections, and when a request can meet a closing one.
 */
export class Pool {
  private readonly idle = new Set<Connection>();
  private kept = 0;

  /** `size`: how many connections to keep at least; more come when all of them are busy. */
  constructor(private readonly size: number) {}

  /** A connection for the next request; undefined: open one, and tell the pool with `add`. */
  take(): Connection | undefined {
    if (this.kept < this.size) return undefined;
    for (const connection of this.idle) {
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
  give(connection: Connection): void {
    if (connection.idle) this.idle.add(connection);
  }

  /** Closes those that are not in use. */
  close(): void {
    for (const connection of this.idle) connection.close();
  }
}

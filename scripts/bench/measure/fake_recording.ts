// Recordings for tests, written down request by request.

import { type Ending, Recorder, type Recording } from "../load/recording.ts";

/** One request. Times in ms after the start of the load. */
export interface Entry {
  readonly intended?: number;
  readonly begun?: number;
  readonly sent?: number;
  readonly ended: number;
  readonly ending?: Exclude<Ending, "pending">;
  readonly status?: number;
  readonly instance?: string;
  readonly post?: boolean;
  readonly fresh?: boolean;
}

/** A recording that began at `startedAt` ms since 1970. What an entry leaves out is as soon as possible. */
export function recordingOf(entries: readonly Entry[], startedAt = 0): Recording {
  const recorder = new Recorder(startedAt, 1000, entries.length);
  for (
    const [i, { intended = i, begun = intended, post = false, fresh = false }] of entries.entries()
  ) {
    recorder.begin(i, { post, fresh }, intended, begun);
  }
  for (const [i, { intended = i, begun = intended, sent = begun, ...entry }] of entries.entries()) {
    const { ended, ending = "answered", status = ending === "answered" ? 200 : 0, instance } =
      entry;
    recorder.send(i, false, sent);
    recorder.end(i, { ending, status, ...(instance === undefined ? {} : { instance }) }, ended);
  }
  return recorder.finish();
}

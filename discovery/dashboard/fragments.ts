// The pieces of the page that change, as HTML. Everything from etcd goes through `clean` and is escaped. Owns no state.
// Under another name, as Deno's formatter would put line breaks into it, and a thousand rows would be twice as heavy.
import { html as markup } from "hono/html";
import type { Change, Placed } from "./board.ts";
import type { Link } from "./chain.ts";
import type { Row } from "./row.ts";

type Markup = ReturnType<typeof markup>;

/** Nothing in these pieces is awaited, so they are text and no promise. */
const text = (piece: Markup | readonly Markup[]): string =>
  Array.isArray(piece) ? piece.join("") : String(piece);

/** A value for people: no control characters, none that turn the direction of writing, not endless. */
export function clean(value: string, most = 300): string {
  const plain = value.replace(/[\p{Cc}\p{Bidi_Control}]/gu, "\ufffd");
  return plain.length > most ? `${plain.slice(0, most - 1)}…` : plain;
}

/** One row of the table. Requests and latency are filled in by the page's script: they change each second. */
export function rowHtml({ tag, order, row }: Placed): string {
  const { state, name, reason, address, weight, since } = row;
  const note = row.unanswered ? UNANSWERED : row.note;
  return text(
    markup`<tr id="${tag}" data-order="${
      clean(order, 1000)
    }"><td><span class="state ${state}">${state}</span></td><th scope="row">${clean(name)}${
      reason === "" ? "" : markup`<small>${clean(reason)}</small>`
    }${
      note === "" ? "" : markup`<small class="note">${clean(note)}</small>`
    }</th><td class="wide">${clean(address)}</td><td class="wide number">${
      weight ?? ""
    }</td><td class="number"></td><td class="number"></td><td class="number">${
      since === "" ? "" : time(Date.parse(since))
    }</td></tr>`,
  );
}

/** A HEALTHCHECK asks inside the container, so it may pass where nobody else gets an answer. */
const UNANSWERED =
  "nginx gets no answer from it: is this the right port, and does the application listen on 0.0.0.0, not on 127.0.0.1 only?";

/** What stands above the rows of a service. */
export function serviceHtml(service: string, rows: readonly Row[]): string {
  const up = rows.filter(({ state }) => state === "up").length;
  const name = service === "" ? "Not registered" : clean(service);
  const count = service === "" ? `${rows.length}` : `${up} of ${rows.length} in rotation`;
  return text(
    markup`<tr><th colspan="7" scope="rowgroup">${name} <span class="count">${count}</span></th></tr>`,
  );
}

/** The links of the chain, as items of a list. */
export function chainHtml(chain: readonly Link[]): string {
  return chain.map(({ name, health, detail }) =>
    text(
      markup`<li class="${health}"><strong>${name}</strong> <span class="health">${
        WORDS[health]
      }</span><p>${clean(detail)}</p></li>`,
    )
  ).join("");
}

const WORDS: Readonly<Record<Link["health"], string>> = {
  ok: "works",
  warning: "look here",
  broken: "broken",
  unknown: "not known",
};

/** The timeline, as items of a list. */
export function timelineHtml(changes: readonly Change[]): string {
  if (changes.length === 0) {
    return `<li class="none">Nothing has changed since this page's server started.</li>`;
  }
  return changes.map(({ at, service, name, from, to, live }) =>
    text(
      markup`<li>${time(at)} <span class="what"><b>${clean(name)}</b>${
        service ? markup` <span class="of">${clean(service)}</span>` : ""
      } ${state(from) || "new"} → ${state(to) || "gone"}</span>${
        live === undefined
          ? ""
          : markup` <span class="live">${
            to === "up" ? "live" : "out of nginx"
          } after ${live} ms</span>`
      }</li>`,
    )
  ).join("");
}

/** The newest change in words, for who listens instead of looking. */
export function spoken({ name, from, to }: Change): string {
  return `${clean(name)}: ${to === "" ? `gone, was ${from}` : to}`;
}

function state(name: string): Markup | "" {
  return name === "" ? "" : markup`<span class="state ${name}">${name}</span>`;
}

/** UTC; the page's script turns it into the reader's time. */
function time(at: number): Markup | "" {
  if (!Number.isFinite(at)) return "";
  const iso = new Date(at).toISOString();
  return markup`<time datetime="${iso}">${iso.slice(11, 19)}</time>`;
}

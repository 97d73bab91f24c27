// The HTML page of one instance, for browsers. Owns its looks; needs no script and no other file.

import { html, raw } from "hono/html";

/** What `/` tells, as JSON and on the page. */
export interface Status {
  readonly instance: string;
  readonly version: string;
  /** Seconds since the start. */
  readonly uptime: number;
  /** Requests of users served so far, this one included. */
  readonly requests: number;
}

/**
 * Renders the page. Everything that varies is escaped. `nonce` is the one that the answer's
 * Content-Security-Policy allows to carry styles.
 */
export function page(status: Status, nonce: string): string {
  const hue = hueOf(status.instance);
  const document = html`
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>${status.instance} · Rollcall</title>
        <link rel="icon" href="${icon(hue)}">
        <style nonce="${nonce}">${raw(style(hue))}</style>
      </head>
      <body>
        <main>
          <header>
            <p>Answered by</p>
            <h1>${status.instance}</h1>
          </header>
          <dl>
            <div>
              <dt>Version</dt>
              <dd>${status.version}</dd>
            </div>
            <div>
              <dt>Up for</dt>
              <dd>${duration(status.uptime)}</dd>
            </div>
            <div>
              <dt>Requests served</dt>
              <dd>${status.requests.toLocaleString("en")}</dd>
            </div>
          </dl>
          <p class="ask">
            <a href="">Ask again</a>
            <span>Each instance has a colour of its own: when it changes, another one answered.</span>
          </p>
          <nav aria-label="Other pages of this instance">
            <ul>${["version", "healthz", "readyz", "metrics", "slow?ms=500"].map((path) =>
              html`<li><a href="${path}">/${path}</a></li>`
            )}</ul>
          </nav>
        </main>
      </body>
    </html>
  `;
  // Nothing in it is awaited, so this is text and no promise.
  return `<!doctype html>${document}`;
}

/** A colour angle, 0 to 359, the same for the same name; names that differ little are far apart. */
export function hueOf(name: string): number {
  let hash = 0x811c9dc5; // FNV-1a
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 13)) >>> 0) % 360;
}

/** A length of time for people, in its two largest units. */
export function duration(seconds: number): string {
  const whole = Math.floor(seconds);
  const units: [number, string][] = [
    [Math.floor(whole / 86400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ];
  const first = units.findIndex(([count]) => count > 0);
  if (first < 0) return "less than a second";
  return units.slice(first, first + 2).map(([count, unit]) => `${count} ${unit}`).join(" ");
}

function icon(hue: number): string {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8">` +
    `<circle cx="4" cy="4" r="4" fill="hsl(${hue} 70% 45%)"/></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

// oklch keeps the contrast of text on the colour the same for every hue: at least 7:1 both ways.
function style(hue: number): string {
  return `
:root { color-scheme: light dark; --paper: #fff; --ink: #1c1c21; --quiet: #55555f; --line: #e2e2e8;
  --band: oklch(42% .12 ${hue}); --link: oklch(42% .12 ${hue}); --back: oklch(96% .012 ${hue}); }
@media (prefers-color-scheme: dark) {
  :root { --paper: #1d1d22; --ink: #ececf1; --quiet: #a9a9b6; --line: #35353d;
    --band: oklch(38% .1 ${hue}); --link: oklch(82% .1 ${hue}); --back: oklch(17% .012 ${hue}); } }
* { box-sizing: border-box; margin: 0; }
body { min-height: 100vh; display: grid; place-items: center; padding: 1.5rem;
  background: var(--back); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { width: min(36rem, 100%); background: var(--paper); border-radius: 1rem; overflow: hidden;
  box-shadow: 0 1px 2px #0002, 0 12px 32px #0001; }
header { background: var(--band); color: #fff; padding: 2rem; }
h1 { font: 600 clamp(1.6rem, 7vw, 2.6rem)/1.15 ui-monospace, monospace; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: 1rem;
  padding: 1.5rem 2rem; border-bottom: 1px solid var(--line); }
dt { color: var(--quiet); font-size: .875rem; }
dd { font-size: 1.25rem; font-variant-numeric: tabular-nums; }
main > p, nav { padding: 1.25rem 2rem 0; color: var(--quiet); }
nav { padding-bottom: 1.75rem; }
ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; }
a { color: var(--link); font-family: ui-monospace, monospace; }
.ask { display: flex; align-items: center; gap: 1rem; }
.ask a { flex: none; font: 600 1rem system-ui, sans-serif; padding: .45rem .9rem;
  border: 2px solid var(--link); border-radius: .5rem; text-decoration: none; }
a:hover { text-decoration: underline; }
a:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: .25rem; }
`;
}

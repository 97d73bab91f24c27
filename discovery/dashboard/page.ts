// The whole page, as its first answer. Owns the frame; what changes comes from fragments.ts.
import { html, raw } from "hono/html";

/** What the page is filled with, as HTML already, and the version that it shows. */
export interface PageParts {
  readonly version: string;
  readonly cursor: string;
  readonly chain: string;
  readonly charts: string;
  readonly timeline: string;
  /** The rows of each service, with what stands above them. */
  readonly services: ReadonlyArray<{ readonly name: string; readonly html: string }>;
  readonly summary: string;
}

/** A circle with a tick: who is here. */
const ICON = "data:image/svg+xml," + encodeURIComponent(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="8" fill="#0a6b3d"/>` +
    `<path d="M4 8l3 3 5-6" fill="none" stroke="#fff" stroke-width="2"/></svg>`,
);

/** Renders the page. */
export function pageHtml(parts: PageParts): string {
  const document = html`
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>Rollcall</title>
        <link rel="icon" href="${ICON}">
        <link rel="stylesheet" href="/style.css">
        <script type="module" src="/client.js"></script>
      </head>
      <body data-cursor="${parts.cursor}">
        <a class="skip" href="#instances">Skip to the instances</a>
        <header>
          <h1>Rollcall</h1>
          <p id="summary">${parts.summary}</p>
          <p id="connection" role="status" data-state="none">Not live: this needs JavaScript</p>
        </header>
        <main>
          <section aria-labelledby="chain-title">
            <h2 id="chain-title">From Docker to nginx</h2>
            <ol id="chain">${raw(parts.chain)}</ol>
          </section>
          <div class="columns">
            <section aria-labelledby="charts-title">
              <h2 id="charts-title">The last ten minutes</h2>
              <div id="charts">${raw(parts.charts)}</div>
            </section>
            <section aria-labelledby="timeline-title">
              <h2 id="timeline-title">What just changed</h2>
              <ol id="timeline" tabindex="0" aria-labelledby="timeline-title">${raw(
                parts.timeline,
              )}</ol>
            </section>
          </div>
          <section aria-labelledby="instances-title" id="instances" tabindex="-1">
            <div class="bar">
              <h2 id="instances-title">Instances</h2>
              <label>Show only <input id="filter" type="search" placeholder="name, state, address" autocomplete="off"></label>
              <p id="shown" role="status"></p>
            </div>
            <table id="table" aria-labelledby="instances-title">
              <thead>
                <tr>
                  <th scope="col">State</th>
                  <th scope="col">Instance</th>
                  <th scope="col" class="wide">Address</th>
                  <th scope="col" class="wide number">Weight</th>
                  <th scope="col" class="number"><abbr title="requests per second">Req/s</abbr></th>
                  <th scope="col" class="number"><abbr title="mean latency in milliseconds">ms</abbr></th>
                  <th scope="col" class="number">Since</th>
                </tr>
              </thead>
              ${parts.services.map(({ name, html: rows }) =>
                html`<tbody data-service="${name}">${raw(rows)}</tbody>`
              )}
            </table>
          </section>
        </main>
        <footer>
          <p>Rollcall ${parts
            .version}. This page only reads. <span id="clock">Times are UTC.</span></p>
        </footer>
        <p id="news" role="status" class="unseen"></p>
      </body>
    </html>
  `;
  return `<!doctype html>${document}`;
}

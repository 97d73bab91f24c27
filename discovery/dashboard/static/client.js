// Keeps the page as its server sees it: takes server-sent events, and puts pieces of HTML where they belong.
// Plain JavaScript: it goes to the browser as it stands here.

/** Longer than this without a word, and the connection is taken for dead. The server says something each second. */
const SILENCE = 5_000;
const RETRY = 1_000;

const byId = (id) => document.getElementById(id);
const table = byId("table");
const filter = byId("filter");
const rows = new Map();
const groups = new Map();
const rates = new Map();
let cursor = document.body.dataset.cursor;
let source;
let watchdog;
let lastNews = 0;

const clock = new Intl.DateTimeFormat([], {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});

function localise(root) {
  for (const time of root.querySelectorAll("time")) {
    time.textContent = clock.format(new Date(time.dateTime));
  }
}

/** The elements of a piece of HTML. It comes from our own server, which has escaped what is not its own. */
function elements(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  localise(template.content);
  return template.content;
}

function group(name) {
  let found = groups.get(name);
  if (found) return found;
  found = document.createElement("tbody");
  found.dataset.service = name;
  // Nameless last, as the server has it.
  const behind = [...groups.values()].find((other) =>
    sortKey(other.dataset.service) > sortKey(name)
  );
  table.insertBefore(found, behind ?? null);
  groups.set(name, found);
  return found;
}

function sortKey(service) {
  return service === "" ? "\uffff" : service;
}

function placeRow(service, html) {
  const row = elements(html).firstElementChild;
  const old = rows.get(row.id);
  const body = group(service);
  if (old && old.parentNode === body) old.replaceWith(row);
  else {
    old?.remove();
    body.insertBefore(row, firstBehind(body, row.dataset.order));
  }
  // With many rows an animation would keep the browser at painting, and show nothing among so much.
  if (rows.size <= 200) row.classList.add("fresh");
  rows.set(row.id, row);
  showRate(row);
  row.hidden = !matches(row);
}

/** The row that the new one stands before. The first of a group is its heading. */
function firstBehind(body, order) {
  let [low, high] = [1, body.rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (body.rows[middle].dataset.order > order) high = middle;
    else low = middle + 1;
  }
  return body.rows[low] ?? null;
}

function take(change) {
  if (change.all) {
    for (const body of groups.values()) body.remove();
    groups.clear();
    rows.clear();
  }
  for (const id of change.removed) {
    rows.get(id)?.remove();
    rows.delete(id);
  }
  for (const [service, html] of change.services) {
    const body = group(service);
    const heading = elements(html).firstElementChild;
    if (body.rows.length > 0) body.rows[0].replaceWith(heading);
    else body.append(heading);
  }
  for (const service of change.gone) {
    groups.get(service)?.remove();
    groups.delete(service);
  }
  for (const [service, html] of change.rows) placeRow(service, html);
  for (const id of ["chain", "charts", "timeline"]) {
    if (change[id] !== undefined) byId(id).replaceChildren(elements(change[id]));
  }
  if (change.summary !== undefined) {
    byId("summary").textContent = change.summary;
    if (filter.value !== "") countShown();
  }
  // Read aloud, but not faster than anybody can listen.
  if (change.news && Date.now() - lastNews > 3_000) {
    lastNews = Date.now();
    byId("news").textContent = change.news;
  }
  cursor = change.cursor;
}

function takeRates(all) {
  for (const id of rates.keys()) if (!(id in all)) rates.set(id, undefined);
  for (const [id, rate] of Object.entries(all)) rates.set(id, rate);
  for (const id of rates.keys()) {
    const row = rows.get(id);
    if (row) showRate(row);
    else rates.delete(id);
  }
}

function showRate(row) {
  const [requests = "", latency = ""] = rates.get(row.id) ?? [];
  for (const [cell, text] of [[row.cells[4], String(requests)], [row.cells[5], String(latency)]]) {
    if (cell.textContent !== text) cell.textContent = text;
  }
}

function matches(row) {
  const wanted = filter.value.trim().toLowerCase();
  if (wanted === "") return true;
  return `${row.parentNode.dataset.service} ${row.textContent}`.toLowerCase().includes(wanted);
}

function countShown() {
  const shown = [...rows.values()].filter((row) => !row.hidden).length;
  byId("shown").textContent = filter.value.trim() === "" ? "" : `${shown} of ${rows.size} shown`;
}

function say(state, text) {
  const place = byId("connection");
  if (place.dataset.state === state) return;
  place.dataset.state = state;
  place.textContent = text;
}

function alive() {
  say("live", "Live");
  clearTimeout(watchdog);
  watchdog = setTimeout(lost, SILENCE);
}

/** Asks anew from where we are. What was missed comes with the first answer. */
function lost() {
  say("lost", "Connection lost. Trying again; what you see may be old.");
  source.close();
  clearTimeout(watchdog);
  watchdog = setTimeout(connect, RETRY);
}

function connect() {
  source = new EventSource(`/events?since=${encodeURIComponent(cursor)}`);
  source.addEventListener("change", (event) => {
    take(JSON.parse(event.data));
    alive();
  });
  source.addEventListener("rates", (event) => {
    takeRates(JSON.parse(event.data));
    alive();
  });
  source.addEventListener("error", lost);
  clearTimeout(watchdog);
  watchdog = setTimeout(lost, SILENCE);
}

for (const body of table.tBodies) {
  groups.set(body.dataset.service, body);
  for (const row of body.rows) if (row.id) rows.set(row.id, row);
}
localise(document);
byId("clock").textContent = `Times are of ${Intl.DateTimeFormat().resolvedOptions().timeZone}.`;
filter.addEventListener("input", () => {
  for (const row of rows.values()) row.hidden = !matches(row);
  countShown();
});
// A page that is left for another one and come back to is shown as it was, its connection gone.
addEventListener("pagehide", () => source.close());
addEventListener("pageshow", (event) => event.persisted && connect());
connect();

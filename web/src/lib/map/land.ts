import { feature, mesh } from 'topojson-client';
import type { GeometryCollection, Topology } from 'topojson-specification';
import atlas from 'world-atlas/countries-110m.json';

const world = atlas as unknown as Topology<{ countries: GeometryCollection; land: GeometryCollection }>;

/** Everything above the sea; Natural Earth, 1:110 million, public domain. */
export const land = feature(world, world.objects.land);

/** The borders between countries, without the shores. */
export const borders = mesh(world, world.objects.countries, (a, b) => a !== b);

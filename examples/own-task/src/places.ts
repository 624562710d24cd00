/** Latitude and longitude in degrees. */
export interface Place {
  latitude: number;
  longitude: number;
}

const PLACES = new Map<string, Place>([
  ["berlin", { latitude: 52.52, longitude: 13.4 }],
  ["lisbon", { latitude: 38.72, longitude: -9.14 }],
  ["lyon", { latitude: 45.76, longitude: 4.84 }],
  ["oslo", { latitude: 59.91, longitude: 10.75 }],
  ["rome", { latitude: 41.89, longitude: 12.51 }],
  ["warsaw", { latitude: 52.23, longitude: 21.01 }],
]);

/** Finds a town. Replace it with a source of your own: a query, a `fetch`, a key-value store. */
export async function findPlace(name: string): Promise<Place | undefined> {
  return PLACES.get(name.toLowerCase());
}

const EARTH_RADIUS_KM = 6371;

/** The shortest way over the ground, in kilometres. */
export function distance(a: Place, b: Place): number {
  const latitudes = Math.sin(radians(b.latitude - a.latitude) / 2) ** 2;
  const longitudes = Math.sin(radians(b.longitude - a.longitude) / 2) ** 2;
  const across = Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * longitudes;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.sqrt(latitudes + across));
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}

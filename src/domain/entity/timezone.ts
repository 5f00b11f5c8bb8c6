/** The message of `timezone.unknown`: the zone by name and three examples (E2). */
export const unknownTimezone = (name: string): string =>
  `Unknown timezone '${name}'. Expected an IANA zone id (e.g. 'America/Los_Angeles', 'Asia/Tokyo', 'Europe/Berlin').`;

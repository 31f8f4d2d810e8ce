import type { Zone } from '../lines/time';

function two(number: number): string {
  return String(number).padStart(2, '0');
}

/** Writes the time of day to the millisecond, as each row has it: `09:40:31.118`. */
export function clockOf(ms: number, zone: Zone): string {
  const date = new Date(ms);
  const parts =
    zone === 'utc'
      ? [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()]
      : [date.getHours(), date.getMinutes(), date.getSeconds()];
  return `${parts.map(two).join(':')}.${String(date.getUTCMilliseconds()).padStart(3, '0')}`;
}

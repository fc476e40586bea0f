/** Names in the sentences of validation. Called by its parts. */
import { quote } from '../model/names.ts';

/** The name as it is where no reader can mistake its end, else in quotes. */
export function plain(name: string): string {
  return name.length <= 80 && /^[^\s\p{C}",;()]+$/u.test(name) ? name : quote(name);
}

/** "a, b and c"; past `most`, those left out are counted. */
export function listed(items: readonly string[], last: 'and' | ',' = ',', most = 8): string {
  const shown = items.length > most ? [...items.slice(0, most), `${items.length - most} more`] : items;
  if (shown.length < 2 || (last === ',' && items.length <= most)) return shown.join(', ');
  return `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

/** A way of names; a long one is shortened in the middle. */
export function shortened(way: readonly string[]): readonly string[] {
  const names = way.length <= 8 ? way : [...way.slice(0, 4), ...way.slice(-2)];
  const shown = names.map(plain);
  return way.length <= 8 ? shown : [...shown.slice(0, 4), `... (${way.length - 6} more) ...`, ...shown.slice(-2)];
}

// The page's state in its address, behind the `#`: it is in nobody's log.

const LONGEST = 200_000;

/** The state as text that stands in a fragment as it is. */
export function written(state) {
  const bytes = new TextEncoder().encode(JSON.stringify(state));
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** The state of a fragment; nothing if it has none. Whoever wrote it, all of it is text. */
export function read(fragment) {
  const text = fragment.replace(/^#/, '');
  if (text === '' || text.length > LONGEST) return undefined;
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    const state = JSON.parse(new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0))));
    const isText = (value) => value === undefined || typeof value === 'string';
    return typeof state === 'object' && state !== null && Object.values(state).every(isText) ? state : undefined;
  } catch {
    return undefined;
  }
}

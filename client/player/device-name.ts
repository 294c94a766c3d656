/** What a device is called, from the words that its browser uses of itself. For people to read, never to decide by. */

/** From the most telling word to the least: Edge also calls itself Chrome, and Chrome Safari; Android also says Linux. */
const BROWSERS = [
  ['Firefox/', 'Firefox'],
  ['Edg/', 'Edge'],
  ['OPR/', 'Opera'],
  ['SamsungBrowser/', 'Samsung Internet'],
  ['Chrome/', 'Chrome'],
  ['Safari/', 'Safari'],
] as const;
const SYSTEMS = [
  ['Android', 'Android'],
  ['iPhone', 'iPhone'],
  ['iPad', 'iPad'],
  ['Web0S', 'webOS'],
  ['Tizen', 'Tizen'],
  ['CrOS', 'ChromeOS'],
  ['Windows', 'Windows'],
  ['Mac OS X', 'macOS'],
  ['Linux', 'Linux'],
] as const;

/** `Firefox on Linux`: the server logs it beside its decision. */
export function deviceName(agent: string): string {
  const nameIn = (names: readonly (readonly [word: string, name: string])[]): string | undefined =>
    names.find(([word]) => agent.includes(word))?.[1];
  return `${nameIn(BROWSERS) ?? 'Browser'} on ${nameIn(SYSTEMS) ?? 'an unknown system'}`;
}

/** `Firefox 153`: what was learned of it counts until the number changes. */
export function browserVersion(agent: string): string {
  const [word, name] = BROWSERS.find(([candidate]) => agent.includes(candidate)) ?? ['Version/', 'Browser'];
  // Safari says its own version under another word.
  const version = new RegExp(`${word === 'Safari/' ? 'Version/' : word}(\\d+)`).exec(agent)?.[1] ?? '0';
  return `${name} ${version}`;
}

const dollars = new Intl.NumberFormat('en-US', {
  style: 'currency',
  currency: 'USD',
  maximumFractionDigits: 9,
});

/** Dollars, exactly: cents at least, and every further place that is not zero. */
export function money(amount: number): string {
  return dollars.format(amount);
}

const moments = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** A moment in the person's own zone. */
export function moment(text: string): string {
  return moments.format(new Date(text));
}

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const;

/** How long ago a moment was, in the largest unit that fits. */
export function ago(text: string, now = Date.now()): string {
  const seconds = (now - Date.parse(text)) / 1_000;
  for (const [unit, length] of UNITS) {
    if (seconds >= length) return relative.format(-Math.floor(seconds / length), unit);
  }
  return 'just now';
}

const BROWSERS = [
  ['Firefox', /Firefox\/(\d+)/],
  ['Edge', /Edg\/(\d+)/],
  ['Chrome', /Chrome\/(\d+)/],
  ['Safari', /Version\/(\d+).*Safari/],
] as const;
const SYSTEMS = [
  ['Android', /Android/],
  ['iOS', /iPhone|iPad/],
  ['Windows', /Windows/],
  ['macOS', /Mac OS X/],
  ['Linux', /Linux/],
] as const;

/** What a browser says of itself, in short: `Chrome 140 on Linux`. */
export function browser(agent: string | null): string {
  if (agent === null) return 'Unknown browser';
  const found = BROWSERS.map(([name, pattern]) => [name, pattern.exec(agent)] as const);
  const [name, version] = found.find(([, match]) => match !== null) ?? [];
  const system = SYSTEMS.find(([, pattern]) => pattern.test(agent))?.[0];
  if (name === undefined) return agent.slice(0, 60);
  return `${name} ${version?.[1] ?? ''}${system === undefined ? '' : ` on ${system}`}`;
}

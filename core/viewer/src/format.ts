/* Numbers, sizes, times and texts as people read them. */

const whole = new Intl.NumberFormat('en');
const precise = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

export function count(value: number | undefined): string {
  return value === undefined ? '–' : whole.format(value);
}

/** By the unit that makes it a number that one can count. */
export function rate(perSecond: number): string {
  if (perSecond === 0 || perSecond >= 1) return `${precise.format(perSecond)}/s`;
  return perSecond * 60 >= 1 ? `${precise.format(perSecond * 60)}/min` : `${precise.format(perSecond * 3600)}/h`;
}

export function bytes(value: number): string {
  let unit = 0;
  while (value >= 1024 && unit < 4) {
    value /= 1024;
    unit++;
  }
  return `${precise.format(value)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][unit]}`;
}

/** A span of time by its two greatest units. */
export function span(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  const sign = ms < 0 ? '−' : '';
  ms = Math.abs(ms);
  if (ms < 1000) return `${sign}${ms < 10 && ms % 1 !== 0 ? ms.toFixed(1) : Math.round(ms)} ms`;
  if (ms < 10_000) return `${sign}${(ms / 1000).toFixed(2)} s`;
  if (ms < 60_000) return `${sign}${(ms / 1000).toFixed(1)} s`;
  const units: [string, number][] = [['d', 86_400_000], ['h', 3_600_000], ['min', 60_000], ['s', 1000]];
  const at = units.findIndex(([, size]) => ms >= size);
  const [name, size] = units[at] as [string, number];
  const rest = units[at + 1];
  const second = rest === undefined ? 0 : Math.floor((ms % size) / rest[1]);
  return `${sign}${Math.floor(ms / size)} ${name}${second > 0 ? ` ${second} ${rest?.[0]}` : ''}`;
}

export function ago(at: number | undefined, now: number): string {
  if (at === undefined) return '–';
  const ms = now - at;
  if (Math.abs(ms) < 1000) return 'now';
  // Coarser than a span: of what was long ago the seconds say nothing.
  const seconds = Math.floor(Math.abs(ms) / 1000);
  const text = seconds < 60 ? `${seconds} s` : seconds < 3600 ? `${Math.floor(seconds / 60)} min` : span(1000 * (seconds - (seconds % 60)));
  return ms < 0 ? `in ${text}` : `${text} ago`;
}

const exact = new Intl.DateTimeFormat('sv', { dateStyle: 'short', timeStyle: 'medium' });
export function moment(at: number | undefined): string {
  if (at === undefined) return '–';
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? String(at) : exact.format(date);
}

/** A name or value in one line: what would turn, hide or break the text around it is shown as a sign; cut where it is too long. */
export function line(text: string, most = 120): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  // eslint-disable-next-line no-control-regex
  return cut.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (sign) => {
    const code = sign.charCodeAt(0);
    if (sign === '\n') return '↵';
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : '�';
  });
}

/** As JSON; integers that only a bigint holds stand there with all their digits. */
export function written(data: unknown, indent = 2): string {
  const mark = '\ue000'; // of the private use area: whoever writes it around digits gets digits
  const text = JSON.stringify(data, (_, item: unknown) => (typeof item === 'bigint' ? `${mark}${item}${mark}` : item), typeof data === 'object' ? indent : 0) ?? '';
  return text.replace(/"\ue000(-?\d+)\ue000"/g, '$1');
}

export function value(data: unknown, most = 120): string {
  return line(typeof data === 'string' ? data : written(data, 0), most);
}

/**
 * The one way to show money, R, percent, prices, quantities and times.
 * Numbers come as decimal strings and are formatted from the string, so no digit is lost on the way.
 */
export type Amount = string | number | null | undefined;

const MISSING = '–';
const LOCALE = 'en-US';
const PLAIN = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

type Numeric = Intl.StringNumericLiteral;

function isNumber(amount: Amount): amount is string | number {
	return amount !== null && amount !== undefined && PLAIN.test(String(amount));
}

const formats = new Map<string, Intl.NumberFormat>();
function withDecimals(least: number, most: number): Intl.NumberFormat {
	const name = `${least}-${most}`;
	const known =
		formats.get(name) ??
		new Intl.NumberFormat(LOCALE, { minimumFractionDigits: least, maximumFractionDigits: most });
	formats.set(name, known);
	return known;
}

/** Rounded half away from zero, with a true minus sign; a rounded-away loss shows no sign. */
function decimal(amount: Amount, least: number, most = least): string {
	if (!isNumber(amount)) return MISSING;
	const text = withDecimals(least, most).format(String(amount) as Numeric);
	return withMinus(text);
}

const withMinus = (text: string): string => text.replace('-', /[1-9]/.test(text) ? '−' : '');

/** With a plus sign when it is above zero as shown. */
function signed(text: string): string {
	return /[1-9]/.test(text) && !text.startsWith('−') ? `+${text}` : text;
}

/** −1, 0 or 1, without leaving the decimal string. */
export function signOf(amount: Amount): -1 | 0 | 1 {
	if (!isNumber(amount) || !/[1-9]/.test(String(amount).split(/e/i)[0])) return 0;
	return String(amount).startsWith('-') ? -1 : 1;
}

/** 1,234.50; the currency's name stands beside it where it is not clear. */
export const money = (amount: Amount, currency = ''): string =>
	isNumber(amount) ? decimal(amount, 2) + (currency && ` ${currency}`) : MISSING;

/** +1,234.50 */
export const signedMoney = (amount: Amount, currency = ''): string =>
	isNumber(amount) ? signed(decimal(amount, 2)) + (currency && ` ${currency}`) : MISSING;

/** −1.2K where there is little room: the size and the sign, with the exact amount elsewhere. */
export function roughMoney(amount: Amount): string {
	if (!isNumber(amount)) return MISSING;
	return signed(withMinus(ROUGH.format(String(amount) as Numeric)));
}
const ROUGH = new Intl.NumberFormat(LOCALE, { notation: 'compact', maximumSignificantDigits: 2 });

/** +0.31R */
export const asR = (amount: Amount, digits = 2): string =>
	isNumber(amount) ? `${signed(decimal(amount, digits))}R` : MISSING;

/** 47.9 % ; the amount is already in percent. */
export const percent = (amount: Amount, digits = 2): string =>
	isNumber(amount) ? `${decimal(amount, 0, digits)} %` : MISSING;

/** +1.24 % */
export const signedPercent = (amount: Amount, digits = 2): string =>
	isNumber(amount) ? `${signed(decimal(amount, digits))} %` : MISSING;

/**
 * Moves the decimal point, exactly: shifted('0.0002', 2) is '0.02'. Turns fractions into percent and back.
 * Text that is not a plain number comes back as it is, for the server to name the fault.
 */
export function shifted(amount: string, places: number): string {
	const [, sign, whole, fraction = ''] = /^([+-]?)(\d*)\.?(\d*)$/.exec(amount.trim()) ?? [];
	if (whole === undefined || whole + fraction === '') return amount;
	const digits = whole.padStart(whole.length + Math.max(0, -places), '0') + fraction.padEnd(places, '0');
	const point = digits.length - Math.max(0, fraction.length - places);
	const left = digits.slice(0, point).replace(/^0+(?=\d)/, '') || '0';
	const right = digits.slice(point).replace(/0+$/, '');
	return sign + left + (right && `.${right}`);
}

/** 1.62 */
export const ratio = (amount: Amount, digits = 2): string => decimal(amount, 0, digits);

/** 1,204 */
export const count = (amount: Amount): string => decimal(amount, 0);

/** 1 trade, 2 trades */
export const plural = (n: number, one: string): string => `${count(n)} ${one}${n === 1 ? '' : 's'}`;

/** How many decimals a tick or lot size has: "0.10" → 1, "1E-7" → 7, "5" → 0. */
export function decimalsOf(step: Amount): number {
	const [digits, exponent = '0'] = String(step ?? '')
		.toLowerCase()
		.split('e');
	const places = (digits.split('.')[1] ?? '').replace(/0+$/, '').length;
	return Math.max(0, places - Number(exponent));
}

/** A price with exactly the decimals of its tick; without a tick, as many as it has. */
export function price(amount: Amount, tick?: Amount): string {
	const places = isNumber(tick) ? decimalsOf(tick) : undefined;
	return places === undefined ? decimal(amount, 0, 18) : decimal(amount, places);
}

/** An average of prices, which no tick bounds: eight digits say it. */
export function averagePrice(amount: Amount): string {
	if (!isNumber(amount)) return MISSING;
	return EIGHT_DIGITS.format(String(amount) as Numeric).replace('-', '−');
}
const EIGHT_DIGITS = new Intl.NumberFormat(LOCALE, { maximumSignificantDigits: 8 });

/** A quantity with every digit it has, and what it is of. */
export const quantity = (amount: Amount, unit = ''): string =>
	isNumber(amount) ? decimal(amount, 0, 18) + (unit && ` ${unit}`) : MISSING;

/** 10× */
export const leverage = (amount: Amount): string => (isNumber(amount) ? `${decimal(amount, 0, 2)}×` : MISSING);

const UNITS: Record<string, (amount: Amount) => string> = {
	money: signedMoney,
	r: asR,
	percent: (amount) => percent(amount, Math.abs(Number(amount)) < 1 ? 2 : 1),
	ratio,
	count,
	hours: (amount) => (isNumber(amount) ? duration(Number(amount) * 3_600_000) : MISSING)
};

/** A figure of the statistics by its unit. */
export const figure = (amount: Amount, unit: string): string => (UNITS[unit] ?? ratio)(amount);

/** "▲", "▼" or nothing: colour is never the only sign. */
export const arrow = (amount: Amount): string => ['▼', '', '▲'][signOf(amount) + 1];

/** BTC/USDT out of BTC/USDT:USDT. */
export const symbolName = (symbol: string): string => symbol.split(':')[0];

const SYMBOLS = /\b([A-Z0-9]+\/[A-Z0-9]+):[A-Z0-9]+\b/g;
/** Of four places and more, and no part of a date, a time or a name. */
const LONG_NUMBERS = /(?<![\w.,:/]|\w-|[A-Z][a-z]+ )(\d{4,})(\.\d+)?(?![\w:/]|-\w|,\d)/g;

/** A sentence of the server's as the desk writes symbols and numbers; no digit of it is lost. */
export const sentence = (text: string): string =>
	text
		.replace(SYMBOLS, '$1')
		.replace(/(?<![\w.])-(?=\d)/g, '−')
		.replace(LONG_NUMBERS, (_, whole: string, rest = '') => whole.replace(/\B(?=(\d{3})+$)/g, ',') + rest);

export type Moment = string | number | Date | null | undefined;

let zone = 'UTC';
/** The user's zone for every time on screen; an unknown one falls back to the browser's. */
export function useTimeZone(name: string): void {
	try {
		zone = new Intl.DateTimeFormat(LOCALE, { timeZone: name }).resolvedOptions().timeZone;
	} catch {
		zone = browserTimeZone();
	}
	clocks.clear();
}
export const browserTimeZone = (): string => new Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
export const timeZones = (): string[] => [
	'UTC',
	...Intl.supportedValuesOf('timeZone').filter((name) => name !== 'UTC')
];

const clocks = new Map<string, Intl.DateTimeFormat>();
function inZone(moment: Moment, options: Intl.DateTimeFormatOptions): string {
	if (moment === null || moment === undefined || moment === '') return MISSING;
	const at = new Date(moment);
	if (Number.isNaN(at.getTime())) return MISSING;
	const name = JSON.stringify(options);
	const clock = clocks.get(name) ?? new Intl.DateTimeFormat('en-GB', { timeZone: zone, ...options });
	clocks.set(name, clock);
	return clock.format(at).replace(',', '');
}

/** 3 Nov 2026 14:05 */
export const dateTime = (moment: Moment): string =>
	inZone(moment, { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' });
/** 3 Nov 14:05:09 */
export const exactTime = (moment: Moment): string =>
	inZone(moment, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit' });
/** 3 Nov 2026 */
export const date = (moment: Moment): string => inZone(moment, { day: 'numeric', month: 'short', year: 'numeric' });
/** 14:05:09 */
export const time = (moment: Moment): string =>
	inZone(moment, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
/** November 2026, from its numbers. */
export const monthName = (year: number, month: number): string =>
	new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', month: 'long', year: 'numeric' }).format(
		Date.UTC(year, month - 1, 1)
	);
/** Today's year, month and day in the user's zone. */
export function today(now: Moment = Date.now()): { year: number; month: number; day: number } {
	const [day, month, year] = inZone(now, { day: 'numeric', month: 'numeric', year: 'numeric' })
		.split('/')
		.map(Number);
	return { year, month, day };
}

const SPANS: [string, number][] = [
	['d', 86_400],
	['h', 3_600],
	['m', 60],
	['s', 1]
];

/** 2 d 3 h, 2 h 14 m, 18 m 5 s, 4 s: the two largest parts. Takes milliseconds. */
export function duration(milliseconds: Amount): string {
	if (!isNumber(milliseconds)) return MISSING;
	let left = Math.max(0, Math.floor(Number(milliseconds) / 1000));
	const parts = SPANS.map(([unit, seconds]) => {
		const whole = Math.floor(left / seconds);
		left -= whole * seconds;
		return [whole, unit] as const;
	});
	const first = parts.findIndex(([whole]) => whole > 0);
	if (first < 0) return '0 s';
	const shown = parts.slice(first, first + 2).filter(([whole]) => whole > 0);
	return shown.map(([whole, unit]) => `${whole} ${unit}`).join(' ');
}

/** How long ago, in words: "4 s ago". */
export const ago = (moment: Moment, now: number): string =>
	moment ? `${duration(now - new Date(moment).getTime())} ago` : MISSING;

/**
 * Exact decimals for prices on screen: a decimal string as a whole number of 10⁻¹⁸.
 * Only for what the eye compares (distances, R to price); the sizes and the money come from the server.
 */
export type Decimal = bigint;

const PLACES = 18;
const ONE = 10n ** BigInt(PLACES);

/** The number in a plain decimal string, or null when it is not one. */
export function decimal(text: string | number | null | undefined): Decimal | null {
	const match = /^(-?)(\d*)(?:\.(\d*))?$/.exec(String(text ?? '').trim());
	if (!match || !(match[2] || match[3])) return null;
	const digits = (match[2] || '0') + (match[3] ?? '').slice(0, PLACES).padEnd(PLACES, '0');
	return match[1] ? -BigInt(digits) : BigInt(digits);
}

/** Back to a decimal string, without trailing zeros. */
export function text(value: Decimal): string {
	const digits = (value < 0n ? -value : value).toString().padStart(PLACES + 1, '0');
	const fraction = digits.slice(-PLACES).replace(/0+$/, '');
	return (value < 0n ? '-' : '') + digits.slice(0, -PLACES) + (fraction && `.${fraction}`);
}

export const times = (a: Decimal, b: Decimal): Decimal => (a * b) / ONE;
export const over = (a: Decimal, b: Decimal): Decimal => (a * ONE) / b;
export const distance = (a: Decimal, b: Decimal): Decimal => (a > b ? a - b : b - a);

/** The nearest whole number of ticks. */
export function toTick(value: Decimal, tick: Decimal): Decimal {
	if (tick <= 0n) return value;
	const half = value < 0n ? -tick / 2n : tick / 2n;
	return ((value + half) / tick) * tick;
}

/**
 * What a person typed or pasted, as a decimal string: "64,182.5", "64 182.5" and "0,25" are understood.
 * Anything else comes back as it is, for the server to name the fault.
 */
export function typed(input: string): string {
	const bare = input.replace(/[\s_'’]/g, '');
	if (/^\d{1,3}(,\d{3})+(\.\d*)?$/.test(bare)) return bare.replaceAll(',', '');
	return /^\d*,\d+$/.test(bare) ? bare.replace(',', '.') : bare;
}

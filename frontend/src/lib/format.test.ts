import { afterEach, describe, expect, it } from 'vitest';
import * as format from './format';

describe('money', () => {
	it('groups thousands and keeps two decimals', () => expect(format.money('10000')).toBe('10,000.00'));
	it('names the currency when asked', () => expect(format.money('9.5', 'USDT')).toBe('9.50 USDT'));
	it('loses no digit of a large amount', () =>
		expect(format.money('12345678901234567890.12')).toBe('12,345,678,901,234,567,890.12'));
	it('rounds the decimal, not a binary neighbour of it', () => expect(format.money('1.005')).toBe('1.01'));
	it('shows a dash for what is not known', () => {
		for (const unknown of [null, undefined, '', 'NaN', 'abc']) expect(format.money(unknown)).toBe('–');
	});
});

describe('rough money', () => {
	it('says size and sign in a few letters', () => {
		const said = ['-16.01', '1234.5', '-98765', '0.5', '-0.00'].map((amount) => format.roughMoney(amount));
		expect(said).toEqual(['−16', '+1.2K', '−99K', '+0.5', '0']);
		expect(format.roughMoney(null)).toBe('–');
	});
});

describe('signs', () => {
	it('gains carry a plus and losses a true minus', () => {
		expect(format.signedMoney('12.3')).toBe('+12.30');
		expect(format.signedMoney('-12.3')).toBe('−12.30');
	});
	it('nothing is neither', () => expect(format.signedMoney('0')).toBe('0.00'));
	it('a loss rounded away is not shown as minus zero', () => expect(format.asR('-0.0001')).toBe('0.00R'));
	it('are read from the string', () => {
		expect([format.signOf('-0.00'), format.signOf('-1e-9'), format.signOf('3')]).toEqual([0, -1, 1]);
	});
	it('have an arrow too', () =>
		expect([format.arrow('-1'), format.arrow('0'), format.arrow('2')]).toEqual(['▼', '', '▲']));
});

describe('price', () => {
	it('has the decimals of its tick', () => {
		expect(format.price('64000', '0.10')).toBe('64,000.0');
		expect(format.price('0.00001234', '1E-8')).toBe('0.00001234');
		expect(format.price('64000.4', '5')).toBe('64,000');
	});
	it('shows all it has when no tick is known', () => expect(format.price('0.12345678')).toBe('0.12345678'));
});

describe('an average price', () => {
	it('has eight digits, whatever its size', () => {
		expect(format.averagePrice('105475.976242508474576271')).toBe('105,475.98');
		expect(format.averagePrice('0.0000123456789')).toBe('0.000012345679');
		expect(format.averagePrice(null)).toBe('–');
	});
});

describe('units', () => {
	it('R', () => expect(format.asR('0.314')).toBe('+0.31R'));
	it('percent', () => expect(format.percent('47.93', 1)).toBe('47.9 %'));
	it('signed percent', () => expect(format.signedPercent('1.24')).toBe('+1.24 %'));
	it('quantity keeps every digit', () => expect(format.quantity('0.07420', 'BTC')).toBe('0.0742 BTC'));
	it('leverage', () => expect(format.leverage('10')).toBe('10×'));
	it('figures follow their unit', () => {
		expect(format.figure('2.5', 'hours')).toBe('2 h 30 m');
		expect(format.figure('142', 'count')).toBe('142');
		expect(format.figure(null, 'money')).toBe('–');
	});
});

describe('shifted', () => {
	it('turns fractions into percent and back', () => {
		expect(format.shifted('0.0002', 2)).toBe('0.02');
		expect(format.shifted('0.02', -2)).toBe('0.0002');
		expect(format.shifted('12', -2)).toBe('0.12');
		expect(format.shifted('1.5', 2)).toBe('150');
		expect(format.shifted('0', 2)).toBe('0');
		expect(format.shifted('-0.00055', 2)).toBe('-0.055');
	});
	it('leaves what is no number alone', () => expect(format.shifted('abc', 2)).toBe('abc'));
});

describe('times', () => {
	afterEach(() => format.useTimeZone('UTC'));
	const moment = '2026-11-03T14:05:09Z';

	it('are shown in the zone of the user', () => {
		format.useTimeZone('Europe/Berlin');
		expect(format.dateTime(moment)).toBe('3 Nov 2026 15:05');
	});
	it('have seconds where it matters', () => expect(format.exactTime(moment)).toBe('3 Nov 14:05:09'));
	it('survive an unknown zone', () => {
		format.useTimeZone('Mars/Olympus');
		expect(format.date(moment)).toMatch(/Nov 2026/);
	});
	it('know which day it is where the user is', () => {
		format.useTimeZone('Pacific/Auckland');
		expect(format.today('2026-12-31T23:00:00Z')).toEqual({ year: 2027, month: 1, day: 1 });
	});
	it('months have names', () => expect(format.monthName(2026, 11)).toBe('November 2026'));
});

describe('duration', () => {
	it('shows its two largest parts', () => {
		expect(format.duration(8_040_000)).toBe('2 h 14 m');
		expect(format.duration(90_000_000)).toBe('1 d 1 h');
		expect(format.duration(400)).toBe('0 s');
	});
	it('leaves out an empty second part', () => expect(format.duration(3_600_000)).toBe('1 h'));
	it('ago', () => expect(format.ago('1970-01-01T00:00:01Z', 5000)).toBe('4 s ago'));
});

describe('a sentence of the server', () => {
	it.each([
		[
			'Long BTC/USDT:USDT: 0.0125 wanted, 1250.50 USDT at risk.',
			'Long BTC/USDT: 0.0125 wanted, 1,250.50 USDT at risk.'
		],
		['Entry filled: 0.1 at 64000.5.', 'Entry filled: 0.1 at 64,000.5.'],
		['Stop moved to 1234567.89012 (break-even).', 'Stop moved to 1,234,567.89012 (break-even).'],
		['Closed (stop loss): -1052.30 USDT, -1.02R.', 'Closed (stop loss): −1,052.30 USDT, −1.02R.']
	])('is shown as the desk writes figures: %s', (told, shown) => expect(format.sentence(told)).toBe(shown));
	it('leaves dates, times and names as they are', () => {
		const told = 'The key ends on 2026-11-20 at 10:30, on 20 Nov 2026; tb01jxt21qnmevht2 stays, 64,000 too.';
		expect(format.sentence(told)).toBe(told);
	});
});

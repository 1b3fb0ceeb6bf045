import { describe, expect, it } from 'vitest';
import { decimal, over, text, times, toTick, typed } from './decimal';

describe('decimal', () => {
	it('keeps every digit of a price', () => {
		for (const price of ['64182.5', '0.00000123', '-3', '0', '123456789.123456789012345678']) {
			expect(text(decimal(price)!)).toBe(price);
		}
	});
	it('drops trailing zeros', () => expect(text(decimal('1.2300')!)).toBe('1.23'));
	it('is null for what is not a plain number', () => {
		for (const wrong of ['', '.', '-', '1e5', 'abc', '1.2.3', null, undefined]) expect(decimal(wrong)).toBeNull();
	});
	it('multiplies and divides without floating point', () => {
		expect(text(times(decimal('0.1')!, decimal('0.2')!))).toBe('0.02');
		expect(text(over(decimal('1')!, decimal('8')!))).toBe('0.125');
	});
	it('rounds to the nearest tick', () => {
		expect(text(toTick(decimal('64182.57')!, decimal('0.1')!))).toBe('64182.6');
		expect(text(toTick(decimal('101.24')!, decimal('0.5')!))).toBe('101');
	});
	it('leaves a number alone when no tick is known', () => expect(toTick(5n, 0n)).toBe(5n));
});

describe('typed', () => {
	it('understands thousands, blanks and a decimal comma', () => {
		expect(typed('64,182.5')).toBe('64182.5');
		expect(typed('64 182.5')).toBe('64182.5');
		expect(typed('1,000,000')).toBe('1000000');
		expect(typed('0,25')).toBe('0.25');
	});
	it('leaves the rest for the server to judge', () => expect(typed('12abc')).toBe('12abc'));
});

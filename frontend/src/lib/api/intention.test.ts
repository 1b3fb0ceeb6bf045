import { describe, expect, it } from 'vitest';
import { Intention, newKey } from './intention';

describe('Intention', () => {
	it('keeps its key while the same thing is wanted', () => {
		const open = new Intention();
		expect(open.keyFor({ plan: 1 })).toBe(open.keyFor({ plan: 1 }));
	});
	it('takes a new key when the wish changes', () => {
		const open = new Intention();
		expect(open.keyFor({ plan: 1 })).not.toBe(open.keyFor({ plan: 2 }));
	});
	it('takes a new key for the same wish once it was fulfilled', () => {
		const open = new Intention();
		const first = open.keyFor({ plan: 1 });
		open.fulfilled();
		expect(open.keyFor({ plan: 1 })).not.toBe(first);
	});
	it('makes keys of the usual shape', () =>
		expect(newKey()).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/));
});

import { describe, expect, it } from 'vitest';
import { faultsAt, faultsElsewhere, faultsOf, type Fault } from './faults';

const fault = (field: string): Fault => ({ field, message: field, cure: '', code: '' });

describe('faults', () => {
	const faults = [fault('stop.price'), fault('take_profits[1].price'), fault('entries'), fault('plan.risk.percent')];

	it('find their field, however the path is written', () => {
		expect(faultsAt(faults, 'stop')).toEqual([faults[0]]);
		expect(faultsAt(faults, 'take_profits.1')).toEqual([faults[1]]);
		expect(faultsAt(faults, 'risk')).toEqual([faults[3]]);
	});
	it('of one row are not shown at another', () => expect(faultsAt(faults, 'take_profits.0')).toEqual([]));
	it('without a field are not lost', () => {
		expect(faultsElsewhere(faults, ['stop', 'risk', 'take_profits.1'])).toEqual([faults[2]]);
	});
	it('come flat out of a problem document', () => {
		expect(faultsOf({ 'stop.price': [{ message: 'a', cure: 'b', code: 'c' }, { message: 'd' }] })).toEqual([
			{ field: 'stop.price', message: 'a', cure: 'b', code: 'c' },
			{ field: 'stop.price', message: 'd', cure: '', code: '' }
		]);
	});
});

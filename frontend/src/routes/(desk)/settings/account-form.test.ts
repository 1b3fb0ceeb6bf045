import { describe, expect, it } from 'vitest';
import { AccountForm } from './account-form.svelte';

describe('AccountForm', () => {
	it('sends fees typed in percent as exact fractions', () => {
		const form = new AccountForm();
		form.makerFee = '0.02';
		form.takerFee = '0.055';
		expect(form.changes()).toMatchObject({ maker_fee: '0.0002', taker_fee: '0.00055' });
	});
	it('sends only what its market needs', () => {
		const form = new AccountForm();
		form.name = ' Practice ';
		expect(form.created()).toMatchObject({ name: 'Practice', price_source: 'simulated' });
		expect(form.created()).not.toHaveProperty('replay_file');
		form.priceSource = 'replay';
		form.replayFile = 'btc.parquet';
		form.replayStart = '2025-06-01T17:00';
		expect(form.created()).toMatchObject({ replay_file: 'btc.parquet', replay_start: '2025-06-01T17:00:00Z' });
	});
});

import { describe, expect, it } from 'vitest';
import { ApiProblem } from '$lib/api/problem';
import type { Venue } from '$lib/api/types';
import { Proof } from './proof.svelte';
import { atVenues, sentenceFor, VenueAccountForm } from './venue-account.svelte';

const venue = (changes: Partial<Venue>) =>
	({ id: 'binance', spot: false, modes: ['paper', 'testnet', 'live'], ...changes }) as Venue;

function filled(): VenueAccountForm {
	const form = new VenueAccountForm();
	form.limits.name = ' Main ';
	form.choose(venue({}));
	[form.key.apiKey, form.key.secret] = ['  key\n', ' secret '];
	return form;
}

describe('VenueAccountForm', () => {
	it('sends a key without the spaces it was pasted with, and no passphrase where there is none', () => {
		expect(filled().created()).toMatchObject({
			name: 'Main',
			mode: 'testnet',
			venue: 'binance',
			key: { api_key: 'key', secret: 'secret' },
			position_mode: 'one_way',
			margin_mode: 'isolated'
		});
		expect(filled().created().key).not.toHaveProperty('passphrase');
		expect(filled().created()).not.toHaveProperty('sentence');
		expect(filled().created()).not.toHaveProperty('price_source');
	});
	it('sends the sentence only for real money', () => {
		const form = filled();
		[form.mode, form.sentence] = ['live', 'I trade with real money on Main '];
		expect(form.created()).toMatchObject({ mode: 'live', sentence: 'I trade with real money on Main' });
		expect(sentenceFor('I trade with real money on {name}', ' Main ')).toBe(form.created().sentence);
	});
	it('asks nothing of spot that only positions have, and takes its usual fees unless others were typed', () => {
		const form = filled();
		form.choose(venue({ id: 'binance-spot', spot: true }));
		expect(form.created()).toMatchObject({ venue: 'binance-spot' });
		expect([form.limits.makerFee, form.limits.takerFee]).toEqual(['0.1', '0.1']);
		for (const name of ['position_mode', 'margin_mode', 'max_leverage', 'maker_fee', 'taker_fee']) {
			expect(form.created()).not.toHaveProperty(name);
		}
		form.limits.takerFee = '0.075';
		form.choose(venue({}));
		expect(form.created()).toMatchObject({ venue: 'binance', taker_fee: '0.00075', max_leverage: 20 });
	});
	it('leaves practice money where a venue has none', () => {
		const form = filled();
		form.choose(venue({ id: 'kraken-spot', spot: true, modes: ['paper', 'live'] }));
		expect(form.mode).toBe('live');
	});
	it('leaves fees to the venue unless the trader has typed his own', () => {
		const form = filled();
		expect(form.created()).not.toHaveProperty('maker_fee');
		form.limits.takerFee = '0.04';
		expect(form.created()).toMatchObject({ maker_fee: '0.0002', taker_fee: '0.0004' });
	});
	it('forgets the key', () => {
		const form = filled();
		form.key.forget();
		expect(form.created().key).toEqual({ api_key: '', secret: '' });
	});
});

it('offers only venues with accounts other than paper', () => {
	const venues = [
		{ id: 'mexc', modes: ['paper'] },
		{ id: 'okx', modes: ['paper', 'live'] }
	] as Venue[];
	expect(atVenues(venues).map(({ id }) => id)).toEqual(['okx']);
});

describe('Proof', () => {
	const tooOld = new ApiProblem(403, { code: 'sign_in_again' });
	it('asks for the password only when the server wants it, and then does what was wanted', async () => {
		let isFresh = false;
		const proof = new Proof(async () => void (isFresh = true));
		const action = async () => {
			if (!isFresh) throw tooOld;
			return 'done';
		};
		expect(await proof.before(action)).toBeUndefined();
		expect(proof.wanted).toBe(true);
		expect(await proof.before(action)).toBe('done');
		expect([proof.wanted, proof.password]).toEqual([false, '']);
	});
	it('says that the password was wrong, and does nothing', async () => {
		let done = 0;
		const proof = new Proof(async () => {
			throw new ApiProblem(400, { detail: 'That is not the password.' });
		});
		proof.wanted = true;
		expect(await proof.before(async () => ++done)).toBeUndefined();
		expect([done, proof.fault]).toEqual([0, 'That is not the password.']);
	});
	it('leaves every other problem to whoever asked', async () => {
		const other = new ApiProblem(409, { code: 'live_trading_off' });
		await expect(
			new Proof(async () => {}).before(async () => {
				throw other;
			})
		).rejects.toBe(other);
	});
});

import type { NewAccount, NewKey, Venue } from '$lib/api/types';
import { AccountForm } from './account-form.svelte';

export type RealMode = 'testnet' | 'live';

/** A key as typed or pasted. It is sent once and kept nowhere on this page. */
export class KeyForm {
	apiKey = $state('');
	secret = $state('');
	passphrase = $state('');

	/** Without the spaces and line ends that come along when a key is copied. */
	sent(): NewKey {
		const passphrase = this.passphrase.trim();
		return { api_key: this.apiKey.trim(), secret: this.secret.trim(), ...(passphrase && { passphrase }) };
	}

	forget(): void {
		this.apiKey = this.secret = this.passphrase = '';
	}
}

/** A testnet or live account as it is put together. */
export class VenueAccountForm {
	mode = $state<RealMode>('testnet');
	/** What the trader types to say that real money is meant. */
	sentence = $state('');
	key = new KeyForm();
	limits = $state(new AccountForm());

	constructor() {
		this.limits.isPaper = false;
		this.limits.priceSource = 'live';
	}

	get venue(): string {
		return this.limits.venue;
	}

	/** Practice money where the venue has any. */
	choose({ id, spot, modes }: Venue): void {
		this.limits.choose(id, spot);
		if (!modes.includes(this.mode)) this.mode = modes.includes('testnet') ? 'testnet' : 'live';
	}

	/** Fees that were left alone are not sent: the venue is asked for them. */
	created(): NewAccount {
		const { maker_fee, taker_fee, ...limits } = this.limits.changes();
		return {
			...limits,
			...(!this.limits.hasUsualFees && { maker_fee, taker_fee }),
			name: this.limits.name.trim(),
			venue: this.venue,
			mode: this.mode,
			key: this.key.sent(),
			...(this.mode === 'live' && { sentence: this.sentence.trim() })
		};
	}
}

/** Venues at which accounts other than paper can be had. */
export const atVenues = (venues: readonly Venue[]): Venue[] =>
	venues.filter(({ modes }) => modes.some((mode) => mode !== 'paper'));

/** The sentence for an account of this name. */
export const sentenceFor = (pattern: string, name: string): string => pattern.replace('{name}', name.trim());

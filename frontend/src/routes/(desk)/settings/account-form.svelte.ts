import type { Account, AccountChanges, NewAccount, PriceSource } from '$lib/api/types';
import { shifted } from '$lib/format';
import { usualFees } from './choices';

/** What a form holds: everything as typed. Fees and slippage are typed in percent and sent as fractions. */
export class AccountForm {
	name = $state('');
	priceSource = $state<PriceSource>('simulated');
	openingBalance = $state('10000');
	venue = $state('binance');
	seed = $state('');
	replayFile = $state('');
	replaySpeed = $state('60');
	/** As the date field gives it, in UTC: 2025-06-01T00:00. */
	replayStart = $state('');
	makerFee = $state('0.02');
	takerFee = $state('0.05');
	slippage = $state('0.02');
	maxLeverage = $state('20');
	maxRisk = $state('5');
	maxOpenRisk = $state('10');
	maxOpenTrades = $state('10');
	/** Coins have no leverage, and neither of the two modes. */
	spot = $state(false);
	/** Only an account at a venue has these. */
	isPaper = $state(true);
	positionMode = $state<Account['position_mode']>('one_way');
	marginMode = $state<Account['margin_mode']>('isolated');

	/** A form filled with what an account has now. */
	static of(account: Account): AccountForm {
		const form = new AccountForm();
		form.name = account.name;
		form.venue = account.venue;
		form.spot = account.spot;
		form.priceSource = account.price_source;
		form.replaySpeed = account.replay_speed;
		form.makerFee = shifted(account.maker_fee, 2);
		form.takerFee = shifted(account.taker_fee, 2);
		form.slippage = shifted(account.slippage, 2);
		form.maxLeverage = String(account.max_leverage);
		form.maxRisk = shifted(account.max_risk_percent, 0);
		form.maxOpenRisk = shifted(account.max_open_risk_percent, 0);
		form.maxOpenTrades = String(account.max_open_trades);
		form.isPaper = account.mode === 'paper';
		form.positionMode = account.position_mode;
		form.marginMode = account.margin_mode;
		return form;
	}

	get hasUsualFees(): boolean {
		const { maker, taker } = usualFees(this.venue);
		return this.makerFee === maker && this.takerFee === taker;
	}

	/** Another market: its usual fees, unless others were typed already. */
	choose(venue: string, spot: boolean): void {
		if (this.hasUsualFees) ({ maker: this.makerFee, taker: this.takerFee } = usualFees(venue));
		[this.venue, this.spot] = [venue, spot];
	}

	/** What may still be changed once an account exists. */
	changes(): AccountChanges {
		return {
			name: this.name.trim(),
			maker_fee: shifted(this.makerFee, -2),
			taker_fee: shifted(this.takerFee, -2),
			slippage: shifted(this.slippage, -2),
			max_risk_percent: this.maxRisk,
			max_open_risk_percent: this.maxOpenRisk,
			max_open_trades: Number(this.maxOpenTrades),
			...(!this.spot && { max_leverage: Number(this.maxLeverage) }),
			...(!this.isPaper && !this.spot && { position_mode: this.positionMode, margin_mode: this.marginMode }),
			...(this.priceSource === 'replay' && { replay_speed: this.replaySpeed })
		};
	}

	created(): NewAccount {
		return {
			...this.changes(),
			name: this.name.trim(),
			price_source: this.priceSource,
			opening_balance: this.openingBalance,
			...this.#market()
		};
	}

	#market(): Partial<NewAccount> {
		const { venue } = this;
		if (this.priceSource === 'live') return { venue };
		if (this.priceSource === 'simulated') return { venue, seed: this.seed ? Number(this.seed) : anySeed() };
		return {
			venue,
			replay_file: this.replayFile,
			...(this.replayStart && { replay_start: `${this.replayStart}:00Z` })
		};
	}
}

/** A market nobody has seen yet. */
const anySeed = (): number => 1 + Math.floor(Math.random() * 999_999);

/**
 * What an open position would make at the latest price: for the eye only, between two answers of the server.
 * Linear contracts: (price − average entry) × quantity × contract size; inverse: contract size × quantity × (1/entry − 1/price).
 */
import { decimal, over, text, times } from './decimal';
import type { Side } from './geometry';

export interface Holding {
	side: Side;
	held: string;
	average_entry: string | null;
	/** Realised so far, costs paid included. */
	net: string | null;
	initial_risk: string | null;
}

export interface Contract {
	contract_size: string;
	linear: boolean;
}

export interface LivePnl {
	/** Of what is still held, before the costs of closing it. */
	unrealised: string;
	/** The whole trade: realised net plus unrealised. */
	total: string;
	/** The whole trade in R. */
	r: string | null;
}

const ONE = decimal('1')!;

export function livePnl(holding: Holding, contract: Contract, price: string): LivePnl | null {
	const [now, entry, held] = [decimal(price), decimal(holding.average_entry), decimal(holding.held)];
	if (now === null || entry === null || held === null || now <= 0n || entry <= 0n || held === 0n) return null;
	const size = times(held, decimal(contract.contract_size) ?? ONE);
	const perUnit = contract.linear ? now - entry : over(ONE, entry) - over(ONE, now);
	const gain = times(size, perUnit);
	const unrealised = holding.side === 'long' ? gain : -gain;
	const total = (decimal(holding.net) ?? 0n) + unrealised;
	const risk = decimal(holding.initial_risk);
	return { unrealised: text(unrealised), total: text(total), r: risk ? text(over(total, risk)) : null };
}

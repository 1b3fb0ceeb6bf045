import type { TradeOrder } from '$lib/api/types';
import { price, quantity } from '$lib/format';
import { nameOf, STATUSES, whatOf, whyOf } from './timeline';

/** An order as it is listed; a stop and the target sent with it are one. */
export interface Listed {
	order: TradeOrder;
	name: string;
	what: string;
	why: string;
}

export function listed(orders: readonly TradeOrder[], tick?: string, coin = ''): Listed[] {
	const targets = new Map(orders.map((order) => [order.paired_with, order]));
	const stops = new Set(orders.map((order) => order.client_id));
	return orders
		.filter(({ paired_with }) => !paired_with || !stops.has(paired_with))
		.map((order) => {
			const target = targets.get(order.client_id);
			return target ? pair(order, target, tick, coin) : alone(order, tick, coin);
		});
}

const alone = (order: TradeOrder, tick: string | undefined, coin: string): Listed => ({
	order,
	name: nameOf(order),
	what: whatOf(order, tick, coin),
	why: whyOf(order)
});

function pair(stop: TradeOrder, target: TradeOrder, tick: string | undefined, coin: string): Listed {
	const name = nameOf(target);
	const together = stop.status === target.status;
	return {
		order: stop,
		name: `Stop or ${name}`,
		what: `${stop.order_side} ${quantity(stop.quantity, coin)} at ${price(stop.trigger, tick)} or ${price(target.price, tick)}, whichever comes first`,
		why: together ? whyOf(stop) : `stop ${STATUSES[stop.status]} · ${name} ${STATUSES[target.status]}`
	};
}

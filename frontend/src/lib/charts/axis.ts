import { date, dateTime, price, time } from '$lib/format';
import type { Formats } from './candle-chart';

/** How the chart writes prices on the tick, and times in the user's zone. */
export function formatsFor(tick: string): Formats {
	return {
		price: (amount) => price(String(amount), tick),
		moment: (ms) => dateTime(ms),
		mark: (ms, unit) => {
			const [day, month, year] = date(ms).split(' ');
			if (unit === 'year') return year;
			if (unit === 'month') return month;
			return unit === 'day' ? `${day} ${month}` : time(ms).slice(0, 5);
		}
	};
}

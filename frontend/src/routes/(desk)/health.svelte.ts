import { getHealth } from '$lib/api/health';
import type { Health } from '$lib/api/types';

/** How often it is asked for while anybody can see it. */
const EVERY = 10_000;

/** How the desk is, by its own word; `askedAt` says of when. What cannot be asked stays as it was. */
export class DeskHealth {
	told = $state.raw<Health | null>(null);
	askedAt = $state(0);

	async ask(): Promise<void> {
		try {
			this.told = await getHealth();
			this.askedAt = Date.now();
		} catch {
			// That the server cannot be reached is told by the live feed.
		}
	}

	/** Asks now and again; call what comes back to end it. */
	watch(): () => void {
		void this.ask();
		const timer = setInterval(() => {
			if (!document.hidden) void this.ask();
		}, EVERY);
		return () => clearInterval(timer);
	}
}

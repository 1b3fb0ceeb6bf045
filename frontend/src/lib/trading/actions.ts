import type { Trade } from '$lib/api/types';

/** What can be done with a working trade. Each is an amended plan on the server; the trade comes back changed. */
export interface PositionActions {
	isBusy: (trade: number) => boolean;
	breakEven: (trade: Trade) => void;
	/** `share` of what is held, "1" is all. */
	close: (trade: Trade, share: string) => void;
	/** Close everything, after a question. */
	askClose: (trade: Trade) => void;
	cancel: (trade: Trade) => void;
	/** Say how it ended, where nothing is told of its symbol any more. */
	askEnd: (trade: Trade) => void;
	askAmend: (trade: Trade) => void;
	handsOff: (trade: Trade, on: boolean) => void;
}

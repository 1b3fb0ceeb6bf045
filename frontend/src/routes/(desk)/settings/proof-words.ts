import type { Account } from '$lib/api/types';
import { ago } from '$lib/format';

type Proof = NonNullable<Account['proof']>;

/** Whether an order of ours was lately placed, seen and cancelled at the venue, in words. */
export function proofWords(proof: Proof, now: number): { head: string; text: string; isBad: boolean } {
	const when = ago(proof.at, now);
	switch (proof.outcome) {
		case 'proved':
			return { head: `Proved ${when}:`, text: 'an order was placed, seen and cancelled.', isBad: false };
		case 'failed':
			return { head: `Not proved, ${when}:`, text: proof.why, isBad: true };
		case 'running':
			return { head: 'Being proved:', text: `an order far off is ${stage(proof)}.`, isBad: false };
		default:
			return {
				head: 'Not proved yet:',
				text: 'an order far off is placed and taken back once trading is on.',
				isBad: false
			};
	}
}

const stage = (proof: Proof): string =>
	proof.seen ? 'being cancelled' : proof.placed ? 'placed' : 'about to be placed';

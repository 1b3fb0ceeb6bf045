/** The server names every fault by its path in the plan document; here they find their field on the ticket. */
export interface Fault {
	field: string;
	message: string;
	cure: string;
	code: string;
}

/** "entries[0].price" and "plan.entries.0.price" are the same place. */
export const place = (path: string): string =>
	path
		.replace(/\[(\w+)\]/g, '.$1')
		.replace(/^plan\./, '')
		.replace(/^\./, '');

/** The faults at `path` or below it. */
export function faultsAt(faults: readonly Fault[], path: string): Fault[] {
	return faults.filter(({ field }) => {
		const at = place(field);
		return at === path || at.startsWith(`${path}.`);
	});
}

/** The faults that no field of `paths` shows: listed above the button, so that none is lost. */
export function faultsElsewhere(faults: readonly Fault[], paths: readonly string[]): Fault[] {
	const shown = new Set(paths.flatMap((path) => faultsAt(faults, path)));
	return faults.filter((fault) => !shown.has(fault));
}

type FieldErrors = Record<string, { message: string; cure?: string; code?: string }[]>;

/** The field map of a problem document as a flat list. */
export function faultsOf(errors: FieldErrors): Fault[] {
	return Object.entries(errors).flatMap(([field, list]) =>
		list.map(({ message, cure = '', code = '' }) => ({ field, message, cure, code }))
	);
}

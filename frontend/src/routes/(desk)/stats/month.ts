/** The weeks of a month as rows of seven, Monday first; days of other months are empty. */
export function weeksOf(year: number, month: number): (number | null)[][] {
	const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
	const before = (new Date(Date.UTC(year, month - 1, 1)).getUTCDay() + 6) % 7;
	const cells: (number | null)[] = [
		...Array(before).fill(null),
		...Array.from({ length: days }, (_, day) => day + 1)
	];
	while (cells.length % 7) cells.push(null);
	return Array.from({ length: cells.length / 7 }, (_, week) => cells.slice(week * 7, week * 7 + 7));
}

/** The month so many months away. */
export function moved(year: number, month: number, by: number): { year: number; month: number } {
	const moment = new Date(Date.UTC(year, month - 1 + by, 1));
	return { year: moment.getUTCFullYear(), month: moment.getUTCMonth() + 1 };
}

export const isoDay = (year: number, month: number, day: number): string =>
	`${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;

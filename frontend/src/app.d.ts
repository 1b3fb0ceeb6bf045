declare global {
	namespace App {
		interface Error {
			message: string;
			/** What the user can do now. */
			cure?: string;
		}
	}
}

export {};

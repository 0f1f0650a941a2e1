declare global {
	namespace App {
		interface Error {
			message: string;
			title: string;
			/** Only loading the page anew can help. */
			reload?: boolean;
		}
	}
}

export {};

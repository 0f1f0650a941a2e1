export type Theme = 'system' | 'light' | 'dark';

const KEY = 'netwark.theme';
const ORDER: Theme[] = ['system', 'light', 'dark'];

function stored(): Theme {
	const chosen = document.documentElement.dataset.theme;
	return chosen === 'light' || chosen === 'dark' ? chosen : 'system';
}

class ThemeState {
	current = $state<Theme>(stored());

	/** On to the next of system, light, dark. */
	turn() {
		this.set(ORDER[(ORDER.indexOf(this.current) + 1) % ORDER.length] ?? 'system');
	}

	set(theme: Theme) {
		this.current = theme;
		if (theme === 'system') delete document.documentElement.dataset.theme;
		else document.documentElement.dataset.theme = theme;
		try {
			if (theme === 'system') localStorage.removeItem(KEY);
			else localStorage.setItem(KEY, theme);
		} catch {
			// Storage is forbidden: the choice lasts as long as the page.
		}
	}
}

export const theme = new ThemeState();

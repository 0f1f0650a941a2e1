import type { Permission, Session } from '../api/types.ts';

/** Who is looking at this page. */
class SessionState {
	current = $state.raw<Session | null>(null);

	/** True when the viewer may do this; the server decides, this only spares buttons that would fail. */
	may(permission: Permission): boolean {
		return this.current?.permissions.includes(permission) ?? false;
	}
}

export const session = new SessionState();

//! Everything the server remembers: entities, migrations and the only home of SQL.

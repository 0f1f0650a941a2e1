//! The table of keys in `docs/configure.md` says what the code says.

use super::keys;
use crate::commands::drift;

#[test]
fn the_table_of_keys_is_up_to_date() {
    let mut table =
        vec!["| Key | Takes | Default | What it does |".to_owned(), "| --- | --- | --- | --- |".to_owned()];
    for key in keys() {
        let escaped = |text: &str| text.replace('|', "\\|");
        let variable = if key.name == "queues" { String::new() } else { format!("<br>`{}`", key.variable()) };
        table.push(format!(
            "| `{}`{variable} | {} | {} | {} |",
            key.name,
            escaped(key.takes),
            escaped(key.default),
            escaped(key.about)
        ));
    }
    drift::check("configure.md", "keys", &table);
}

//! Parts of the documentation that are written from the code.

use std::path::Path;

use netwark_model::tools::Registry;

use crate::cli;

/// Compares the part of a page between `<!-- NAME: ... -->` and `<!-- end -->` with what the code says, or
/// writes it when `NETWARK_BLESS` is set.
pub fn check(page: &str, name: &str, lines: &[String]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
    let text = std::fs::read_to_string(&path).unwrap();
    let begin = text.find(&format!("<!-- {name}:")).unwrap();
    let begin = begin + text[begin..].find('\n').unwrap() + 1;
    let end = begin + text[begin..].find("<!-- end -->").unwrap();
    let wanted = format!("{}\n", lines.join("\n"));
    if std::env::var_os("NETWARK_BLESS").is_some() {
        std::fs::write(&path, format!("{}{wanted}{}", &text[..begin], &text[end..])).unwrap();
        return;
    }
    assert_eq!(&text[begin..end], wanted, "docs/{page} is old; run NETWARK_BLESS=1 cargo test -p netwark");
}

#[test]
fn the_table_of_commands_is_up_to_date() {
    let mut table = vec!["| Command | What it does |".to_owned(), "| --- | --- |".to_owned()];
    add(&mut table, &cli::command(&Registry::standard()), "netwark");
    check("cli.md", "commands", &table);
}

fn add(table: &mut Vec<String>, command: &clap::Command, path: &str) {
    for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
        let path = format!("{path} {}", command.get_name());
        let targets: Vec<_> = command.get_positionals().map(|arg| format!(" {arg}")).collect();
        if command.has_subcommands() {
            add(table, command, &path);
        } else {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            table.push(format!("| `{path}{}` | {} |", targets.concat(), about.trim_end_matches('.')));
        }
    }
}

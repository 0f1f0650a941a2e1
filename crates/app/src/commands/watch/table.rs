//! Tables and lists of facts, as wide as what stands in them.

use crate::output;

/// Rows of cells below their heads.
pub struct Table<const N: usize> {
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    /// A table with only its heads.
    pub fn new(heads: [&str; N]) -> Self {
        Self { rows: vec![heads.map(str::to_owned)] }
    }

    /// Adds a row. What devices say of themselves is shown without what a terminal would obey.
    pub fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells.map(|cell| plain(&cell)));
    }

    /// Its lines. The last column is as long as it is.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let widths: Vec<usize> =
            (0..N).map(|at| self.rows.iter().map(|row| width(&row[at])).max().unwrap_or_default()).collect();
        self.rows.iter().map(move |row| {
            let cells: Vec<String> =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            cells.join("  ").trim_end().to_owned()
        })
    }

    /// Prints it.
    pub fn print(&self) {
        output::lines(self.lines());
    }
}

/// Prints facts below a head, each behind its name. Those without a value are left out.
pub fn facts(head: &str, facts: &[(&str, String)]) {
    output::line(plain(head));
    let facts: Vec<_> = facts.iter().filter(|(_, value)| !value.is_empty()).collect();
    let widest = facts.iter().map(|(name, _)| width(name)).max().unwrap_or_default();
    for (name, value) in facts {
        // A value of several lines keeps them, below each other.
        for (at, line) in value.lines().enumerate() {
            let name = if at == 0 { name } else { "" };
            output::line(format!("  {name:widest$}  {}", plain(line)));
        }
    }
}

/// The first of some, and how many there are besides.
pub fn first<T: ToString>(list: &[T]) -> String {
    match list {
        [] => String::new(),
        [only] => only.to_string(),
        [first, more @ ..] => format!("{} +{}", first.to_string(), more.len()),
    }
}

/// A text without what a terminal would obey.
pub fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_cells_and_obey_nobody() {
        let mut table = Table::new(["NAME", "ID"]);
        table.row(["Büro".into(), "1".into()]);
        table.row(["a\u{1b}[31mlong name".into(), "2".into()]);
        let lines: Vec<String> = table.lines().collect();
        assert_eq!(lines, ["NAME            ID", "Büro            1", "a[31mlong name  2"]);
    }
}

//! Names that somebody may have meant.

/// The name that is nearest to a word, letter case aside: one that begins with it, or one that takes few changes.
pub(super) fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.to_lowercase().chars().take(100).collect();
    let most = word.len().div_ceil(3).min(3);
    let measured = names.into_iter().filter(|name| !name.is_empty()).filter_map(|name| {
        let lower: Vec<char> = name.to_lowercase().chars().take(200).collect();
        let away = if word.len() > 1 && lower.starts_with(&word) { 1 } else { distance(&word, &lower) };
        (away <= most).then_some((away, name))
    });
    measured.min().map(|(_, name)| name)
}

/// What to add to a message: the nearest name, or nothing.
pub(super) fn did_you_mean<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, names).map_or_else(String::new, |name| format!("; did you mean '{name}'?"))
}

/// How many letters have to be changed, added or taken away (Levenshtein).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let kept = corner + usize::from(left != right);
            corner = row[j + 1];
            row[j + 1] = kept.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let names = ["paris", "paris-2", "lyon", "netwark.broadcast"];
        assert_eq!(nearest("pariss", names), Some("paris"));
        assert_eq!(nearest("PARI", names), Some("paris"));
        assert_eq!(nearest("lion", names), Some("lyon"));
        assert_eq!(nearest("rome", names), None);
        assert_eq!(nearest("x", names), None);
        assert_eq!(nearest("", names), None);
    }
}

//! Texts that come from the network: cleaned, cut to a length, escaped for the format they are put into.

use std::cmp::Reverse;

use netwark_model::events::Severity;

/// A text in one line, without what would steer a terminal, end a header, or turn the direction of reading.
pub(crate) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {}
            c if c.is_control() || c.is_whitespace() => {
                if !clean.ends_with(' ') {
                    clean.push(' ');
                }
            }
            c => clean.push(c),
        }
    }
    clean.trim().to_owned()
}

/// At most so many characters of a text, the last an ellipsis where something is left out.
pub(crate) fn clip(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => {
            let mut kept: String = text.chars().take(most.saturating_sub(1)).collect();
            kept.truncate(kept.trim_end().len());
            kept.push('…');
            kept
        }
    }
}

/// At most so many bytes of a text, cut between two characters.
pub(crate) fn clip_bytes(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Escaped as text of HTML and XML, and as Telegram wants it.
pub(crate) fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Escaped as Slack wants it: three characters, and no others.
pub(crate) fn slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Escaped for the Markdown of Discord. What counts at the beginning of a line only is left as it is: every line begins
/// with a time.
pub(crate) fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '*' | '_' | '~' | '`' | '|' | '<' | '[' | ']') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// The lines that fit into so many bytes, the worst first and of those the oldest, in the order they were given. A
/// byte more is counted for each, to part it from the next.
pub(crate) fn fitting(lines: &[(Severity, String)], most: usize) -> Vec<&str> {
    let mut by_worth: Vec<usize> = (0..lines.len()).collect();
    by_worth.sort_by_key(|&at| (Reverse(lines.get(at).map(|(severity, _)| *severity)), at));
    let mut left = most;
    let mut kept = Vec::new();
    for at in by_worth {
        let Some((_, line)) = lines.get(at) else { continue };
        if let Some(rest) = left.checked_sub(line.len() + 1) {
            left = rest;
            kept.push((at, line.as_str()));
        }
    }
    kept.sort_by_key(|(at, _)| *at);
    kept.into_iter().map(|(_, line)| line).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_steers_the_reader() {
        assert_eq!(clean("a\r\nBcc: x\u{1b}[31m \u{202e}txt.exe\u{0}"), "a Bcc: x [31m txt.exe");
        assert_eq!(clean(" \u{2028} "), "");
    }

    #[test]
    fn clipped() {
        assert_eq!(clip("abc", 3), "abc");
        assert_eq!(clip("ab cd", 4), "ab…");
        assert_eq!(clip_bytes("aé", 2), "a");
    }

    #[test]
    fn escaped() {
        let mean = "<!channel> <b onclick=\"x\">&*_@everyone_*";
        assert_eq!(slack(mean), "&lt;!channel&gt; &lt;b onclick=\"x\"&gt;&amp;*_@everyone_*");
        assert_eq!(html(mean), "&lt;!channel&gt; &lt;b onclick=&quot;x&quot;&gt;&amp;*_@everyone_*");
        assert_eq!(markdown("<@1> *a* [b](c)"), r"\<@1> \*a\* \[b\](c)");
    }

    #[test]
    fn the_worst_lines_stay() {
        let lines: Vec<_> = [
            (Severity::Info, "one"),
            (Severity::Alert, "two"),
            (Severity::Info, "three"),
            (Severity::Alert, "four"),
        ]
        .map(|(severity, text)| (severity, text.to_owned()))
        .into();
        assert_eq!(fitting(&lines, 100), ["one", "two", "three", "four"]);
        assert_eq!(fitting(&lines, 13), ["one", "two", "four"]);
        assert_eq!(fitting(&lines, 9), ["two", "four"]);
        assert_eq!(fitting(&lines, 3), [""; 0]);
    }

    proptest! {
        #[test]
        fn any_text_is_bounded(text in ".{0,200}", most in 1_usize..60) {
            let clean = clean(&text);
            prop_assert!(!clean.chars().any(char::is_control));
            prop_assert!(clip(&clean, most).chars().count() <= most);
            prop_assert!(clip_bytes(&clean, most).len() <= most);
            prop_assert!(!html(&text).contains(['<', '>', '"']));
            prop_assert!(!slack(&text).contains(['<', '>']));
        }
    }
}

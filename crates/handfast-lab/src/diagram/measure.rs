//! How wide text is in columns of a terminal, how it is wrapped, and how stretches of time are written.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Columns that `text` takes on a terminal.
pub(super) fn columns(text: &str) -> usize {
    text.width()
}

/// Text that cannot move the cursor or break a line: what is not printable becomes U+FFFD.
pub(super) fn printable(text: &str) -> String {
    let is_hidden = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c);
    text.chars().map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect()
}

/// Printable text with nothing but ASCII in it.
pub(super) fn ascii(text: &str) -> String {
    let fold = |c: char| match c {
        ' '..='~' => c,
        '→' => '>',
        '·' | '–' | '—' | '−' => '-',
        '⋮' => ':',
        '…' => '~',
        '×' => 'x',
        '’' | '‘' => '\'',
        _ => '?',
    };
    text.chars().map(fold).collect()
}

/// `text` in at most `width` columns, its end replaced by `…` where it is longer.
pub(super) fn shorten(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut short = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > width {
            break;
        }
        used += wide;
        short.push(c);
    }
    if width > 0 {
        short.push('…');
    }
    short
}

/// `text` in lines of at most `width`, broken at spaces where that is possible. `measure` says how wide a text is.
pub(crate) fn wrap<Width: PartialOrd>(text: &str, width: Width, measure: impl Fn(&str) -> Width) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let mut word = word;
        loop {
            let joined = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if measure(&joined) <= width {
                line = joined;
                break;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
                continue;
            }
            // A word that is wider than a whole line is cut, after at least one character.
            let ends = word.char_indices().map(|(start, c)| start + c.len_utf8());
            let cut = ends.take_while(|&end| measure(&word[..end]) <= width).last();
            let cut = cut.unwrap_or_else(|| word.chars().next().map_or(word.len(), char::len_utf8));
            lines.push(word[..cut].to_owned());
            word = &word[cut..];
            if word.is_empty() {
                break;
            }
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// A stretch of time in the largest unit that keeps it readable: `12 ms`, `3.204 s`, `2 min 03 s`, `3 h 12 min`.
pub(super) fn duration(ms: u64) -> String {
    let s = ms / 1000;
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{s}.{:03} s", ms % 1000),
        60_000..3_600_000 => format!("{} min {:02} s", s / 60, s % 60),
        3_600_000..86_400_000 => format!("{} h {:02} min", s / 3600, s / 60 % 60),
        _ => format!("{} d {:02} h", s / 86_400, s / 3600 % 24),
    }
}

/// The same, rounded for a pause whose exact length is of no interest: `3.2 s`.
pub(super) fn pause(ms: u64) -> String {
    let tenths = (ms + 50) / 100;
    match ms {
        1_000..59_950 => format!("{}.{} s", tenths / 10, tenths % 10),
        _ => duration(ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapped_text_loses_nothing_and_no_line_is_too_wide() {
        let text = "an unreasonablylongwordindeed and 支付服务 then more";
        for width in 2..40 {
            let lines = wrap(text, width, columns);
            assert!(lines.iter().all(|line| columns(line) <= width), "{width}: {lines:?}");
            assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""), "{width}");
        }
    }

    #[test]
    fn a_shortened_text_says_so() {
        assert_eq!(shorten("captured", 8), "captured");
        assert_eq!(shorten("captured", 5), "capt…");
        assert_eq!(shorten("支付服务", 5), "支付…");
        assert_eq!(shorten("x", 0), "");
    }

    #[test]
    fn durations_are_readable_at_every_size() {
        let all = [0, 999, 1_000, 59_999, 60_000, 3_599_999, 3_600_000, 90_000_000].map(duration);
        assert_eq!(all, ["0 ms", "999 ms", "1.000 s", "59.999 s", "1 min 00 s", "59 min 59 s", "1 h 00 min", "1 d 01 h"]);
        assert_eq!([1_980, 3_249, 59_949, 59_950].map(pause), ["2.0 s", "3.2 s", "59.9 s", "59.950 s"]);
    }

    #[test]
    fn nothing_printed_can_move_the_cursor() {
        assert_eq!(printable("a\x1b[2J\n\u{202e}b"), "a\u{fffd}[2J\u{fffd}\u{fffd}b");
        assert_eq!(ascii("⋮ act · 支 …"), ": act - ? ~");
    }
}

//! Tells code, comments and strings of a Rust file apart, and what only tests compile.
//!
//! It knows as much of Rust's syntax as that takes: comments (nested ones too), strings (raw ones too), characters and
//! lifetimes, and the block behind `#[cfg(test)]`.

/// One line, by what its characters belong to. What belongs elsewhere is blank.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Line {
    pub(super) code: String,
    pub(super) comment: String,
    /// The insides of string literals.
    pub(super) string: String,
    /// Compiled for tests only.
    pub(super) in_test: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Code,
    LineComment,
    /// How deep it is nested.
    BlockComment(usize),
    String,
    /// How many `#` end it.
    RawString(usize),
}

/// The lines of a Rust file.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let characters: Vec<char> = text.chars().collect();
    let mut lines = vec![Line::default()];
    let mut mode = Mode::Code;
    let mut at = 0;
    while at < characters.len() {
        let rest = &characters[at..];
        let (next, kind, taken) = read(mode, rest, at.checked_sub(1).map(|before| characters[before]));
        for &character in &rest[..taken] {
            if character == '\n' {
                lines.push(Line::default());
                continue;
            }
            let Some(line) = lines.last_mut() else { continue };
            match kind {
                Mode::Code => line.code.push(character),
                Mode::LineComment | Mode::BlockComment(_) => line.comment.push(character),
                Mode::String | Mode::RawString(_) => line.string.push(character),
            }
        }
        mode = next;
        at += taken;
    }
    mark_tests(&mut lines);
    lines
}

/// Looks at the next characters: the mode after them, what they belong to, and how many they are.
fn read(mode: Mode, rest: &[char], before: Option<char>) -> (Mode, Mode, usize) {
    let starts = |with: &str| with.chars().enumerate().all(|(at, character)| rest.get(at) == Some(&character));
    match mode {
        Mode::Code if starts("//") => (Mode::LineComment, Mode::LineComment, 2),
        Mode::Code if starts("/*") => (Mode::BlockComment(1), Mode::BlockComment(1), 2),
        Mode::Code if starts("\"") => (Mode::String, Mode::Code, 1),
        Mode::Code => match (raw_string(rest, before), character_literal(rest)) {
            (Some((hashes, taken)), _) => (Mode::RawString(hashes), Mode::Code, taken),
            (None, Some(taken)) => (Mode::Code, Mode::String, taken),
            (None, None) => (Mode::Code, Mode::Code, 1),
        },
        Mode::LineComment if starts("\n") => (Mode::Code, Mode::LineComment, 1),
        Mode::LineComment => (mode, mode, 1),
        Mode::BlockComment(depth) if starts("/*") => (Mode::BlockComment(depth + 1), mode, 2),
        Mode::BlockComment(1) if starts("*/") => (Mode::Code, mode, 2),
        Mode::BlockComment(depth) if starts("*/") => (Mode::BlockComment(depth - 1), mode, 2),
        Mode::BlockComment(_) => (mode, mode, 1),
        Mode::String if starts("\\") => (mode, mode, rest.len().min(2)),
        Mode::String if starts("\"") => (Mode::Code, Mode::Code, 1),
        Mode::String => (mode, mode, 1),
        Mode::RawString(hashes) if starts(&format!("\"{}", "#".repeat(hashes))) => (Mode::Code, Mode::Code, hashes + 1),
        Mode::RawString(_) => (mode, mode, 1),
    }
}

/// The number of `#` of a raw string that begins here, and the length of its beginning.
fn raw_string(rest: &[char], before: Option<char>) -> Option<(usize, usize)> {
    if before.is_some_and(is_word) {
        return None;
    }
    let prefix = rest.iter().take_while(|character| matches!(character, 'b' | 'c' | 'r')).count();
    let hashes = rest[prefix..].iter().take_while(|&&character| character == '#').count();
    let raw = prefix > 0 && rest[prefix - 1] == 'r' && rest.get(prefix + hashes) == Some(&'"');
    raw.then_some((hashes, prefix + hashes + 1))
}

/// The length of a character literal that begins here; a lifetime is none.
fn character_literal(rest: &[char]) -> Option<usize> {
    if rest.first() != Some(&'\'') {
        return None;
    }
    match (rest.get(1)?, rest.get(2)?) {
        ('\\', _) => rest.iter().skip(3).position(|&character| character == '\'').map(|at| at + 4),
        (_, '\'') => Some(3),
        _ => None,
    }
}

/// Whether a character can be part of a name.
pub(super) fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Marks what stands behind `#[cfg(test)]`: up to the end of the block that follows, or of the statement.
fn mark_tests(lines: &mut [Line]) {
    let mut depth: Option<usize> = None;
    for line in lines {
        let mut code = line.code.as_str();
        if depth.is_none() {
            let Some(at) = code.find("#[cfg(test)]") else { continue };
            code = &code[at + "#[cfg(test)]".len()..];
            depth = Some(0);
        }
        line.in_test = true;
        for character in code.chars() {
            depth = match (character, depth) {
                ('{', Some(depth)) => Some(depth + 1),
                ('}', Some(depth)) if depth > 1 => Some(depth - 1),
                ('}', Some(_)) | (';', Some(0)) => None,
                (_, depth) => depth,
            };
            if depth.is_none() {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, code: &str, comment: &str, string: &str) {
        let line = &lines(text)[0];
        assert_eq!((line.code.as_str(), line.comment.as_str(), line.string.as_str()), (code, comment, string));
    }

    #[test]
    fn code_comments_and_strings_are_told_apart() {
        check("let a = 1; // why", "let a = 1; ", "// why", "");
        check("let a = \"// no\";", "let a = \"\";", "", "// no");
        check("let a = \"\\\"\"; b", "let a = \"\"; b", "", "\\\"");
        check("let a = r#\"x\"y\"#; b", "let a = r#\"\"#; b", "", "x\"y");
        check("a /* b /* c */ d */ e", "a  e", "/* b /* c */ d */", "");
        check("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}", "", "");
        check("let q = '\"'; b", "let q = ; b", "", "'\"'");
        check("let q = '\\''; b", "let q = ; b", "", "'\\''");
        check("let bar\"x\"", "let bar\"\"", "", "x");
    }

    #[test]
    fn a_string_may_span_lines() {
        let lines = lines("let a = \"one\n// two\"; b");
        assert_eq!((lines[1].code.as_str(), lines[1].string.as_str()), ("\"; b", "// two"));
    }

    #[test]
    fn the_block_behind_cfg_test_is_a_test() {
        let in_test = |text: &str| lines(text).iter().map(|line| line.in_test).collect::<Vec<_>>();
        assert_eq!(in_test("a\n#[cfg(test)]\nmod tests {\n fn f() {}\n}\nb"), [false, true, true, true, true, false]);
        assert_eq!(in_test("#[cfg(test)]\nmod tests;\nb"), [true, true, false]);
        assert_eq!(in_test("#[cfg(test)] use a;\nb"), [true, false]);
    }
}

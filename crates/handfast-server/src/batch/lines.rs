//! Lines of any input, numbered, and never more of one in memory than an order may have.

use std::io::{self, BufRead};

/// What a line turned out to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum InputLine {
    /// Its bytes, without the newline.
    Text(Vec<u8>),
    /// More bytes than the limit; they were read past and are gone.
    TooLong,
}

/// The lines of a reader, counted from 1. Blank lines are counted and left out.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    reader: R,
    number: u64,
    limit: usize,
}

impl<R: BufRead> Lines<R> {
    /// Lines of at most `limit` bytes each.
    pub(crate) const fn new(reader: R, limit: usize) -> Self {
        Self { reader, number: 0, limit }
    }

    /// The next line, blank or not; `None` at the end.
    fn read_one(&mut self) -> io::Result<Option<InputLine>> {
        let mut text = Vec::new();
        let mut is_too_long = false;
        let mut has_begun = false;
        loop {
            let part = match self.reader.fill_buf() {
                Ok(part) => part,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if part.is_empty() && !has_begun {
                return Ok(None);
            }
            let end = part.iter().position(|&byte| byte == b'\n');
            let piece = &part[..end.unwrap_or(part.len())];
            is_too_long |= text.len() + piece.len() > self.limit;
            if !is_too_long {
                text.extend_from_slice(piece);
            }
            let is_last = end.is_some() || part.is_empty();
            let used = piece.len() + usize::from(end.is_some());
            self.reader.consume(used);
            has_begun = true;
            if is_last {
                return Ok(Some(if is_too_long { InputLine::TooLong } else { InputLine::Text(text) }));
            }
        }
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<(u64, InputLine)>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut line = match self.read_one() {
                Ok(line) => line?,
                Err(error) => return Some(Err(error)),
            };
            self.number += 1;
            if let InputLine::Text(text) = &mut line {
                // Some programs begin a file with a mark that is no part of its text.
                if self.number == 1 && text.starts_with(b"\xef\xbb\xbf") {
                    text.drain(..3);
                }
                if text.trim_ascii().is_empty() {
                    continue;
                }
            }
            return Some(Ok((self.number, line)));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn lines(text: &[u8], buffer: usize) -> Vec<(u64, InputLine)> {
        Lines::new(BufReader::with_capacity(buffer, text), 5).collect::<io::Result<_>>().expect("memory can be read")
    }

    #[test]
    fn lines_are_numbered_and_bounded_whatever_the_buffer_cuts() {
        let text = |number, bytes: &str| (number, InputLine::Text(bytes.as_bytes().to_vec()));
        for buffer in 1..20 {
            assert_eq!(
                lines(b"\xef\xbb\xbfab\n\n \r\nabcde\r\nabcde\nabcdef\nlonger than that\nx", buffer),
                // With its \r the fourth line has six bytes.
                [
                    text(1, "ab"),
                    (4, InputLine::TooLong),
                    text(5, "abcde"),
                    (6, InputLine::TooLong),
                    (7, InputLine::TooLong),
                    text(8, "x")
                ],
                "buffer of {buffer}"
            );
            assert_eq!(lines(b"", buffer), []);
            assert_eq!(lines(b"\n", buffer), []);
            assert_eq!(lines(b"a\n", buffer), [text(1, "a")]);
        }
    }
}

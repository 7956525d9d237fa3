//! Writes deliveries to the terminal of the server: for the time before email is set up, and for
//! development.

use async_trait::async_trait;
use std::io::Write;

use tidings_core::port::{Address, Channel, Delivery, PortError, Receipt};

/// The terminal.
#[derive(Debug, Clone, Copy, Default)]
pub struct Console;

#[async_trait]
impl Channel for Console {
    async fn deliver(&self, delivery: &Delivery) -> Result<Receipt, PortError> {
        let Address::Email(to) = &delivery.to;
        let text = format!(
            "----- a message, shown here since no email is set up -----\nTo: {}\nSubject: {}\n\n{}\n-----\n",
            printable(to),
            printable(&delivery.subject),
            delivery.text.lines().map(printable).collect::<Vec<_>>().join("\n"),
        );
        let written = std::io::stderr().lock().write_all(text.as_bytes());
        written.map_err(|error| PortError::later("write to the terminal", error))?;
        Ok(Receipt::default())
    }
}

/// A line without what would steer a terminal.
fn printable(line: &str) -> String {
    line.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\rc"), "a\u{fffd}[2Jb\u{fffd}c");
    }
}

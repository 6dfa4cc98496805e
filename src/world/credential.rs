//! Credentials that cannot be printed by accident. Knows no place that they come from.

use std::fmt;

/// A token or password. It has no `Display`, and its `Debug` is `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Takes a secret text.
    pub fn new(text: impl Into<String>) -> Token {
        Token(text.into())
    }

    /// The text itself, for a header and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// How a request says who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authorization {
    /// User and password.
    Basic(String, Token),
    /// A bearer token.
    Bearer(Token),
    /// A header of the server's own (`PRIVATE-TOKEN`) or a whole `Authorization` value.
    Header(&'static str, Token),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_do_not_print() {
        let all = [
            Authorization::Basic("me".into(), Token::new("hunter2")),
            Authorization::Bearer(Token::new("hunter2")),
            Authorization::Header("PRIVATE-TOKEN", Token::new("hunter2")),
        ];
        assert!(!format!("{all:?}").contains("hunter2"));
    }
}

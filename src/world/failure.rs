//! What can go wrong with the world, whose fault it is, and what to do next. Knows no protocol's words beyond HTTP's numbers.

use crate::model::knowledge::{Miss, MissKind};
use std::fmt;
use std::time::Duration;

/// A question to the world that got no usable answer. Never holds a credential: addresses come without user, query and fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The network was not to be used, and nothing was kept from an earlier run.
    Offline {
        /// What was asked for.
        what: String,
    },
    /// No connection, no name, no TLS, no answer in time.
    Unreachable {
        /// Who did not answer.
        host: String,
        /// What happened.
        why: String,
    },
    /// 401: it wants to know who asks.
    Unauthorized {
        /// What was asked for.
        what: String,
    },
    /// 403: it knows who asks, and says no.
    Forbidden {
        /// What was asked for.
        what: String,
    },
    /// 404 or 410: it is not there.
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// 429, or a limit that it names: asked too often.
    Limited {
        /// Who.
        host: String,
        /// When it may be asked again.
        after: Option<Duration>,
    },
    /// 5xx, also after the retries.
    Broken {
        /// Who.
        host: String,
        /// The number.
        status: u16,
    },
    /// A status that makes no sense here.
    Unexpected {
        /// What was asked for.
        what: String,
        /// The number.
        status: u16,
    },
    /// The answer ended before it was complete.
    Truncated {
        /// What was asked for.
        what: String,
    },
    /// The answer is bigger than anything that can be right.
    TooBig {
        /// What was asked for.
        what: String,
        /// In bytes.
        limit: u64,
    },
    /// The answer contradicts itself or the question: a wrong digest, a wrong name, no such format.
    Lying {
        /// What was asked for.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// The address itself is none.
    BadAddress {
        /// As written, without credentials.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// A program that is needed is missing, failed, or did not end in time.
    Tool {
        /// Which.
        name: String,
        /// What happened.
        why: String,
        /// What mends it.
        next: String,
    },
}

/// Who can mend a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Whoever runs pinguard: a credential, a name, a flag.
    Caller,
    /// Whoever runs the server.
    Server,
    /// The way between.
    Network,
}

impl Failure {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Failure::Offline { .. }
            | Failure::Unauthorized { .. }
            | Failure::Forbidden { .. }
            | Failure::NotFound { .. }
            | Failure::BadAddress { .. }
            | Failure::Tool { .. } => Fault::Caller,
            Failure::Unreachable { .. } | Failure::Truncated { .. } => Fault::Network,
            Failure::Limited { .. }
            | Failure::Broken { .. }
            | Failure::Unexpected { .. }
            | Failure::TooBig { .. }
            | Failure::Lying { .. } => Fault::Server,
        }
    }

    /// What to do next, in the imperative.
    pub fn next(&self) -> String {
        match self {
            Failure::Offline { .. } => "run once without --offline".to_string(),
            Failure::Unreachable { host, .. } => {
                format!("check that {host} can be reached from here (proxy, DNS, SSL_CERT_FILE) and run again")
            }
            Failure::Unauthorized { .. } => {
                "give credentials (netrc, the URL, docker login, a token variable) and run again".to_string()
            }
            Failure::Forbidden { .. } => "use credentials that may read it".to_string(),
            Failure::NotFound { .. } => {
                "check the spelling; a private one answers like this without credentials".to_string()
            }
            Failure::Limited { after: Some(after), .. } => format!("run again in {} s", after.as_secs().max(1)),
            Failure::Limited { .. } => "log in (limits are higher then) or run again later".to_string(),
            Failure::Broken { .. } | Failure::Truncated { .. } => "run again later".to_string(),
            Failure::Unexpected { .. } | Failure::TooBig { .. } | Failure::Lying { .. } => {
                "tell whoever runs the server; nothing of the answer was used".to_string()
            }
            Failure::BadAddress { .. } => "mend the address".to_string(),
            Failure::Tool { next, .. } => next.clone(),
        }
    }

    /// The same as data of the model.
    pub fn miss(&self) -> Miss {
        let kind = match self {
            Failure::NotFound { .. } => MissKind::Absent,
            Failure::Unauthorized { .. } | Failure::Forbidden { .. } => MissKind::Refused,
            Failure::Offline { .. } => MissKind::Offline,
            Failure::Unreachable { .. } | Failure::Truncated { .. } | Failure::Limited { .. } => MissKind::Unreachable,
            Failure::Broken { .. } => MissKind::Unreachable,
            Failure::Unexpected { .. } | Failure::TooBig { .. } | Failure::Lying { .. } => MissKind::Lying,
            Failure::BadAddress { .. } | Failure::Tool { .. } => MissKind::Unsupported,
        };
        Miss { kind, text: self.to_string() }
    }
}

impl fmt::Display for Failure {
    /// What happened and what next, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Offline { what } => write!(f, "{what} was not asked for: --offline, and nothing is cached")?,
            Failure::Unreachable { host, why } => write!(f, "{host} gave no answer ({why})")?,
            Failure::Unauthorized { what } => write!(f, "{what} asks for credentials (401)")?,
            Failure::Forbidden { what } => write!(f, "{what} is refused (403)")?,
            Failure::NotFound { what } => write!(f, "{what} is not there (404)")?,
            Failure::Limited { host, .. } => write!(f, "{host} was asked too often (429)")?,
            Failure::Broken { host, status } => write!(f, "{host} is out of order ({status})")?,
            Failure::Unexpected { what, status } => write!(f, "{what} answered with status {status}")?,
            Failure::Truncated { what } => write!(f, "{what} ended before it was complete")?,
            Failure::TooBig { what, limit } => write!(f, "{what} is bigger than {} MiB", limit >> 20)?,
            Failure::Lying { what, why } => write!(f, "{what} gave an answer that cannot be right: {why}")?,
            Failure::BadAddress { what, why } => write!(f, "`{what}` is no address: {why}")?,
            Failure::Tool { name, why, .. } => write!(f, "{name} {why}")?,
        }
        write!(f, "; {}", self.next())
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_say_what_happened_and_what_next() {
        let failure = Failure::Limited { host: "index.example".into(), after: Some(Duration::from_secs(30)) };
        assert_eq!(failure.to_string(), "index.example was asked too often (429); run again in 30 s");
        assert_eq!((failure.fault(), failure.miss().kind), (Fault::Server, MissKind::Unreachable));
        let failure = Failure::NotFound { what: "https://index.example/simple/x/".into() };
        assert_eq!(failure.miss().kind, MissKind::Absent);
    }
}

//! From arguments and environment to a client: whether the network is used, and where answers are kept.

use crate::cli;
use crate::world::environment::Environment;
use crate::world::http::{Http, Mode, Settings};

/// The client of a command.
pub fn client(args: &cli::Network, environment: &Environment) -> Http {
    let mode = if args.offline { Mode::Offline } else { Mode::Online };
    let cache = args.cache_dir.clone().or_else(|| environment.cache_folder());
    Http::new(Settings { mode, cache, ..Settings::default() })
}
